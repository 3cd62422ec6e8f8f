import { type MetricDefinition, regressionTasks } from "./definition.ts";
import { labelSpread } from "./sample.ts";
import { sumDefinition } from "./row-mean.ts";

/**
 * Root mean squared error, √(Σ w (y - ŷ)² / Σ w), in the label's unit; [0, ∞), lower is better. Interval: BCa over rows
 * of the sum of squares, ABC above 5,000. As scikit-learn's mean_squared_error(squared=False).
 */
export const rmse: MetricDefinition = sumDefinition(
  { name: "rmse", tasks: regressionTasks, direction: "lower", unit: "label", range: [0, Infinity], defaultOptions: {} },
  {
    demand: "any",
    byClass: false,
    range: [0, Infinity],
    prepare: (sample) => {
      const { labels, scores } = sample;
      const errors = labels.map((label, i) => label - (scores[i] as number));
      const largest = errors.reduce((most, error) => Math.max(most, Math.abs(error)), 0) || labelSpread(sample);
      return {
        cells: errors.map((error) => error * error),
        width: 1,
        value: (sums, offset, total) => Math.sqrt((sums[offset] as number) / total),
        whyUndefined: "the sum of squares overflows",
        linear: false,
        trials: labels.length,
        largest,
      };
    },
  },
);
