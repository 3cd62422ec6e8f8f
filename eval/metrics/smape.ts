import { type MetricDefinition, regressionTasks } from "./definition.ts";
import { rowMeanSums, sumDefinition } from "./row-mean.ts";

/**
 * Symmetric mean absolute percentage error as a fraction, mean of 2|y - ŷ| / (|y| + |ŷ|); [0, 2], lower is better.
 * A row with y = ŷ = 0 is exact and counts 0. The M3 competition (Makridakis and Hibon, 2000) prints 100 times this.
 * Interval: BCa over rows, ABC above 5,000.
 */
export const smape: MetricDefinition = sumDefinition(
  { name: "smape", tasks: regressionTasks, direction: "lower", unit: "fraction", range: [0, 2], defaultOptions: {} },
  rowMeanSums("any", [0, 2], ({ labels, scores }) =>
    labels.map((label, i) => {
      const size = Math.abs(label) + Math.abs(scores[i] as number);
      return size === 0 ? 0 : (2 * Math.abs(label - (scores[i] as number))) / size;
    }),
  ),
);
