import type { MetricDefinition } from "./definition.ts";
import { rankedDefinition } from "./ranked-metric.ts";
import { rocOrder } from "./roc-order.ts";

/**
 * Average precision, Σ (R_k - R_{k-1}) P_k over the distinct scores from high to low, without interpolation; (0, 1],
 * higher is better. The step convention of scikit-learn's average_precision_score: tied scores are one threshold.
 * Binary; needs both classes. Interval: jackknife over rows or clusters, or over groups of them, with t; on the logit
 * scale for one sample.
 */
export const averagePrecision: MetricDefinition = rankedDefinition(
  {
    name: "average_precision",
    tasks: ["binary-classification"],
    direction: "higher",
    unit: "",
    range: [0, 1],
    defaultOptions: {},
  },
  {
    demand: "any",
    range: [0, 1],
    smooth: true,
    prepare: (sample) => {
      const roc = rocOrder(sample);
      if (typeof roc === "string") return roc;
      return {
        trials: Math.min(roc.positives, roc.negatives),
        largest: 1,
        value: (weights) => {
          let sum = 0;
          let found = 0;
          roc.sweep(weights, (above, _, hits, alarms) => {
            sum += ((hits - above) * hits) / (hits + alarms);
            found = hits;
            return false;
          });
          return sum / found;
        },
      };
    },
  },
);
