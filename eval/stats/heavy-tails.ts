import type { Ends } from "./bca.ts";
import { hallQuantile } from "./hall.ts";
import { studentQuantile } from "./student.ts";

/**
 * What the skewness seen is multiplied by, however small it is: of heavy tails a sample of few units shows little. Chosen
 * by simulating forecasts of 5 to 200 series, on other seeds than those of bench/results/calibration-series.md.
 */
const unseenSkew = 3;

/** An estimate over units with heavy tails. `skew` is a sixth of its skewness (BCa's a). */
export type HeavyTailedEstimate = {
  estimate: number;
  standardError: number;
  /** Degrees of freedom of the standard error if units are normal, and those that their fourth moments leave. */
  df: number;
  effectiveDf: number;
  skew: number;
};

/**
 * Estimate ± t, widened up to a width in this order: both ends to t with the effective degrees of freedom, then the one
 * on the long side of the skewness to that of Hall's transformation. Fourth moments come first, because heavy tails on
 * both sides look skewed to one of them by chance. Never narrower than t, even where t alone is wider than `widest`.
 */
export function heavyTailedInterval(
  { estimate, standardError, df, effectiveDf, skew }: HeavyTailedEstimate,
  level: number,
  widest: number,
): Ends {
  const p = 0.5 + level / 2;
  const plain = studentQuantile(p, df) * standardError;
  const short = Math.max(plain, Math.min(studentQuantile(p, effectiveDf) * standardError, widest / 2));
  if (short === 0) return { low: estimate, high: estimate };
  const hall = Math.abs(hallQuantile(-short / standardError, unseenSkew * Math.abs(skew))) * standardError;
  const long = Math.max(short, Math.min(hall, widest - short));
  return skew > 0 ? { low: estimate - short, high: estimate + long } : { low: estimate - long, high: estimate + short };
}
