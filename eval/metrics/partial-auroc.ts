import type { MetricDefinition } from "./definition.ts";
import { rankedDefinition } from "./ranked-metric.ts";
import { type RocOrder, rocOrder } from "./roc-order.ts";

/** Largest false-positive rate of the area when `at` is not given. */
const defaultPartialRate = 0.1;

/**
 * Area under the ROC curve from a false-positive rate of 0 to `rate`, trapezoidal, raw: [0, rate]. NaN unless both
 * classes are there.
 */
export function rawPartialArea(roc: RocOrder, weights: Float64Array, rate: number): number {
  const { positives, negatives } = roc.totals(weights);
  const edge = rate * negatives;
  let area = 0;
  let height = 0;
  let reached = 0;
  roc.sweep(weights, (hitsAbove, alarmsAbove, hits, alarms) => {
    area += hitsAbove * (Math.min(alarmsAbove, edge) - reached);
    reached = Math.min(alarms, edge);
    height = hits;
    if (alarmsAbove >= edge) return true;
    if (alarms > alarmsAbove) {
      const run = reached - alarmsAbove;
      area += (hitsAbove + ((hits - hitsAbove) * run) / (alarms - alarmsAbove) / 2) * run;
    }
    return alarms >= edge;
  });
  return (area + height * (edge - reached)) / (positives * negatives);
}

/**
 * Partial AUROC over false-positive rates 0 … `at` (0.1), standardised by McClish (Med. Decis. Making 9, 1989): ½(1 +
 * (area - e²/2) / (e - e²/2)), so that chance is 0.5 and perfection 1; higher is better. Binary; needs both classes. As
 * scikit-learn's roc_auc_score(max_fpr=e) and pROC's auc(partial.auc=…, partial.auc.correct=TRUE). Interval: jackknife
 * over rows or clusters, or over groups of them, with t; on the logit scale for one sample.
 */
export const partialAuroc: MetricDefinition = rankedDefinition(
  {
    name: "partial_auroc",
    tasks: ["binary-classification"],
    direction: "higher",
    unit: "",
    range: [0, 1],
    defaultOptions: { at: defaultPartialRate },
  },
  {
    demand: "any",
    range: [0, 1],
    byClass: true,
    smooth: true,
    prepare: (sample, options) => {
      const rate = options.at ?? defaultPartialRate;
      if (!(rate > 0 && rate <= 1)) return `a false-positive rate of ${rate} bounds no area; it lies in (0, 1]`;
      const roc = rocOrder(sample);
      if (typeof roc === "string") return roc;
      const least = (rate * rate) / 2;
      return {
        trials: Math.min(roc.positives, roc.negatives),
        largest: 1,
        value: (weights) => {
          const area = rawPartialArea(roc, weights, rate);
          return rate === 1 ? area : 0.5 * (1 + (area - least) / (rate - least));
        },
      };
    },
  },
);
