import { type MetricDefinition, regressionTasks } from "./definition.ts";
import { labelSpread } from "./sample.ts";
import { rowMeanSums, sumDefinition } from "./row-mean.ts";

/**
 * Mean absolute error, Σ w |y - ŷ| / Σ w, in the label's unit; [0, ∞), lower is better.
 * Interval: BCa over rows, ABC above 5,000; of the paired row differences for a contrast.
 * As scikit-learn's mean_absolute_error.
 */
export const mae: MetricDefinition = sumDefinition(
  { name: "mae", tasks: regressionTasks, direction: "lower", unit: "label", range: [0, Infinity], defaultOptions: {} },
  {
    ...rowMeanSums(
      "any",
      [0, Infinity],
      ({ labels, scores }) => labels.map((label, i) => Math.abs(label - (scores[i] as number))),
      labelSpread,
    ),
    heavyTails: "of forecasts",
  },
);
