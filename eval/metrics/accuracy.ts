import { classificationTasks, type MetricDefinition } from "./definition.ts";
import { contrastShare, measureShare } from "./share.ts";
import { defaultThreshold, predictedClasses, thresholdOf } from "./sample.ts";
import { rowMeanSums } from "./row-mean.ts";

/** 1 for each row whose predicted class is the true one. */
export const correctRows = rowMeanSums("any", [0, 1], (sample, options) => {
  const predicted = predictedClasses(sample, thresholdOf(sample, options));
  return sample.labels.map((label, i) => (label === predicted[i] ? 1 : 0));
});

/**
 * Accuracy, the (weighted) share of rows whose predicted class is the true one; [0, 1], higher is better.
 * Binary: score ≥ `threshold` (0.5) predicts class 1; multiclass: the largest score, the first of equals.
 * Interval: Wilson; of a paired difference: Tango's score interval (McNemar's test at 0). With clusters or
 * uneven weights: jackknife with t and Tango's score; on a relative scale BCa bootstrap, ABC above 5,000 units. As scikit-learn's accuracy_score.
 */
export const accuracy: MetricDefinition = {
  name: "accuracy",
  tasks: classificationTasks,
  direction: "higher",
  ofOneClass: true,
  unit: "fraction",
  range: [0, 1],
  defaultOptions: { threshold: defaultThreshold },
  measure: (sample, options) => measureShare(correctRows, sample, options),
  contrast: (candidate, baseline, options) => contrastShare(correctRows, candidate, baseline, options),
};
