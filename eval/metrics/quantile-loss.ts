import type { MeasureOptions, MetricDefinition, Sample } from "./definition.ts";
import { scaleProblem } from "./mase.ts";
import { hasQuantiles, positionOf, quantilesOf, sameLevels } from "./quantiles.ts";
import { rowMeanSums } from "./row-mean.ts";
import { labelSpread } from "./sample.ts";
import { contrastSums, measureSums, type SumMetric } from "./sum-metric.ts";

/** The row's loss at each level, averaged over the levels, or at the one that is asked for. */
function rowLosses(sample: Sample, { at, scaled = false }: MeasureOptions): Float64Array | string {
  const quantiles = quantilesOf(sample);
  if (typeof quantiles === "string") return quantiles;
  const problem = scaled ? scaleProblem(sample) : null;
  if (problem !== null) return problem;
  const { levels, values } = quantiles;
  const only = at === undefined ? null : positionOf(levels, at);
  if (only === -1) return `no quantile ${at} is forecast: the levels are ${levels.join(", ")}`;
  const positions = only === null ? [...levels.keys()] : [only];
  return sample.labels.map((label, row) => {
    let sum = 0;
    for (const k of positions) {
      const level = levels[k] as number;
      const error = label - (values[row * levels.length + k] as number);
      sum += error >= 0 ? level * error : (level - 1) * error;
    }
    const loss = sum / positions.length;
    if (!scaled) return loss;
    const scale = (sample.naiveScales as Float64Array)[row] as number;
    // As in owa: rows of a series that never changed cannot be scaled, and add nothing.
    return scale === 0 ? 0 : loss / scale;
  });
}

const overLevels: SumMetric = {
  ...rowMeanSums("any", [0, Infinity], rowLosses, labelSpread),
  heavyTails: "of forecasts",
};

/**
 * Quantile (pinball) loss in the label's unit, the mean over rows and levels of max(q (y - ŷ_q), (q - 1)(y - ŷ_q));
 * [0, ∞), lower is better. `at` asks for one level. As scikit-learn's mean_pinball_loss; twice the mean over many evenly
 * spaced levels approaches the CRPS (Gneiting and Raftery, JASA 102 (2007), 359-378). Undefined without quantiles.
 * `scaled` divides each row's loss by the naive scale of its series, as mase does (the scaled pinball loss of the M5
 * competition: S. Makridakis and others, Int. J. Forecast. 38 (2022), 1365-1385); without it the large series of many
 * decide. Without `at`, two models are compared only over the same levels: the outer ones have the smaller loss.
 * Interval: BCa over rows, ABC above 5,000; over series, jackknife with t.
 */
export const quantileLoss: MetricDefinition = {
  name: "quantile_loss",
  tasks: ["forecasting"],
  direction: "lower",
  unit: "label",
  range: [0, Infinity],
  defaultOptions: { scaled: false },
  furtherOptions: ["at"],
  listed: hasQuantiles,
  measure: (sample, options) => measureSums(overLevels, sample, options),
  contrast(candidate, baseline, options) {
    const [own, other] = [candidate, baseline].map(({ forecasts }) => forecasts?.quantiles?.levels ?? []);
    if (options.at === undefined && own!.length > 0 && other!.length > 0 && !sameLevels(own!, other!))
      return {
        status: "undefined",
        reason: `the candidate's levels are ${own!.join(", ")} and the baseline's ${other!.join(", ")}: \`at\` compares one that both have`,
        n: candidate.labels.length,
      };
    return contrastSums(overLevels, candidate, baseline, options);
  },
};
