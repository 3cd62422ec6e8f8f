import type { MetricDefinition } from "./definition.ts";
import { rankedDefinition } from "./ranked-metric.ts";
import { rocOrder } from "./roc-order.ts";

/** False-positive rate that is allowed when `at` is not given. */
const defaultRate = 0.01;

/**
 * True-positive rate at a fixed false-positive rate: the largest TPR of any threshold whose FPR is at most `at` (0.01),
 * without interpolation; [0, 1], higher is better. Binary; needs both classes. Undefined with fewer negatives than
 * 1/at, because then no threshold with a false alarm is allowed and the answer says nothing about the rate. Interval:
 * percentile bootstrap over rows (expanded over clusters); the threshold is found anew in each resample.
 */
export const tprAtFpr: MetricDefinition = rankedDefinition(
  {
    name: "tpr_at_fpr",
    tasks: ["binary-classification"],
    direction: "higher",
    unit: "fraction",
    range: [0, 1],
    defaultOptions: { at: defaultRate },
  },
  {
    demand: "any",
    range: [0, 1],
    byClass: true,
    smooth: false,
    prepare: (sample, options) => {
      const rate = options.at ?? defaultRate;
      if (!(rate > 0 && rate < 1)) return `a false-positive rate of ${rate} is no target; it lies in (0, 1)`;
      const roc = rocOrder(sample);
      if (typeof roc === "string") return roc;
      if (roc.negatives * rate < 1 - 1e-9)
        return `${roc.negatives} negatives cannot show a false-positive rate of ${rate}; it takes ${Math.ceil(1 / rate)}`;
      return {
        trials: Math.min(roc.positives, roc.negatives),
        largest: 1,
        value: (weights) => {
          const { positives, negatives } = roc.totals(weights);
          // A little slack, so that 3 of 300 counts as at most 0.01 despite rounding.
          const allowed = rate * negatives * (1 + 1e-12);
          let best = 0;
          roc.sweep(weights, (_, __, hits, alarms) => {
            if (alarms <= allowed) best = hits;
            return alarms > allowed;
          });
          return negatives > 0 ? best / positives : Number.NaN;
        },
      };
    },
  },
);
