import { normalCdf } from "./normal.ts";
import { residualMoments } from "./satterthwaite.ts";
import { studentQuantile } from "./student.ts";

/**
 * Level at which a percentile bootstrap over these units covers as often as wanted: the percentiles of ± t √(true /
 * bootstrap variance) instead of ± z (expanded percentiles, T. Hesterberg, Am. Stat. 69, 2015). Degrees of freedom are
 * Satterthwaite's for independent rows; the ratio is the larger of the two working models'.
 */
export function expandedLevel(
  units: { shares: Float64Array; independent: Float64Array; identical: Float64Array },
  level: number,
): number {
  const { shares } = units;
  const [one, other] = [units.independent, units.identical].map((variances) => {
    const { variance, expected, df } = residualMoments({ shares, variances }, () => 1);
    return { ratio: variance / expected.reduce((sum, part) => sum + part, 0), df };
  }) as [{ ratio: number; df: number }, { ratio: number; df: number }];
  const t = studentQuantile(0.5 + level / 2, one.df) * Math.sqrt(Math.max(one.ratio, other.ratio));
  return 2 * normalCdf(t) - 1;
}
