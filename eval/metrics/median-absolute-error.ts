import { argsort } from "../stats/argsort.ts";
import { type MetricDefinition, regressionTasks } from "./definition.ts";
import { rankedDefinition } from "./ranked-metric.ts";

/**
 * Median absolute error in the label's unit; [0, ∞), lower is better. With an even number of rows, the two in the
 * middle are averaged, as in scikit-learn's median_absolute_error. With weights, it is the smallest error that half of
 * the weight does not exceed. Interval: percentile bootstrap over rows (expanded over clusters).
 */
export const medianAbsoluteError: MetricDefinition = rankedDefinition(
  {
    name: "median_absolute_error",
    tasks: regressionTasks,
    direction: "lower",
    unit: "label",
    range: [0, Infinity],
    defaultOptions: {},
  },
  {
    demand: "any",
    range: [0, Infinity],
    byClass: false,
    smooth: false,
    prepare: ({ labels, scores }) => {
      const errors = labels.map((label, i) => Math.abs(label - (scores[i] as number)));
      const order = argsort(errors);
      const sorted = errors.slice().sort();
      return {
        trials: labels.length,
        largest: sorted[sorted.length - 1] as number,
        value: (weights) => {
          let total = 0;
          for (let i = 0; i < weights.length; i++) total += weights[i] as number;
          let sum = 0;
          for (let i = 0; i < order.length; i++) {
            sum += weights[order[i] as number] as number;
            if (sum < total / 2) continue;
            if (sum > total / 2) return sorted[i] as number;
            let next = i + 1;
            while (next < order.length && weights[order[next] as number] === 0) next++;
            return ((sorted[i] as number) + (sorted[next] as number)) / 2;
          }
          return Number.NaN;
        },
      };
    },
  },
);
