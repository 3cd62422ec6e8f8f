import type { MeasureOptions, MetricDefinition, Sample } from "./definition.ts";
import { hasQuantiles, positionOf, quantilesOf } from "./quantiles.ts";
import { rowMeanSums, sumDefinition } from "./row-mean.ts";
import { labelSpread } from "./sample.ts";

/** The row's loss at each level, averaged over the levels, or at the one that is asked for. */
function rowLosses(sample: Sample, { at }: MeasureOptions): Float64Array | string {
  const quantiles = quantilesOf(sample);
  if (typeof quantiles === "string") return quantiles;
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
    return sum / positions.length;
  });
}

/**
 * Quantile (pinball) loss in the label's unit, the mean over rows and levels of max(q (y - ŷ_q), (q - 1)(y - ŷ_q));
 * [0, ∞), lower is better. `at` asks for one level. As scikit-learn's mean_pinball_loss; twice the mean over many evenly
 * spaced levels approaches the CRPS (Gneiting and Raftery, JASA 102 (2007), 359-378). Undefined without quantiles.
 * Interval: BCa over rows, ABC above 5,000; over series, jackknife with t.
 */
export const quantileLoss: MetricDefinition = sumDefinition(
  {
    name: "quantile_loss",
    tasks: ["forecasting"],
    direction: "lower",
    unit: "label",
    range: [0, Infinity],
    defaultOptions: {},
    listed: hasQuantiles,
  },
  rowMeanSums("any", [0, Infinity], rowLosses, labelSpread),
);
