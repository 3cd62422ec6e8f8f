import { classificationTasks, type MetricDefinition } from "./definition.ts";
import { rowMeanSums, sumDefinition } from "./row-mean.ts";

/**
 * Brier score. Binary: mean of (p - y)², [0, 1], as scikit-learn's brier_score_loss. More than two classes: mean over
 * rows of the sum over classes of (p_c - y_c)², [0, 2] (Brier, Monthly Weather Review 78, 1950). Lower is better;
 * scores must be probabilities. Interval: BCa over rows, ABC above 5,000.
 */
export const brier: MetricDefinition = sumDefinition(
  {
    name: "brier",
    tasks: classificationTasks,
    direction: "lower",
    ofOneClass: true,
    unit: "",
    range: [0, 2],
    defaultOptions: {},
  },
  rowMeanSums("probability", [0, 2], ({ labels, scores, classCount }) =>
    labels.map((label, i) => {
      if (classCount === 2) return ((scores[i] as number) - label) ** 2;
      let sum = 0;
      for (let c = 0; c < classCount; c++) sum += ((scores[i * classCount + c] as number) - (c === label ? 1 : 0)) ** 2;
      return sum;
    }),
  ),
);
