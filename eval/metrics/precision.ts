import { classRatio } from "./class-counts.ts";
import { classificationTasks, type MetricDefinition, type Sample } from "./definition.ts";
import { defaultThreshold, predictedClasses, thresholdOf, sampleProblem } from "./sample.ts";
import { measureShareOf } from "./share.ts";
import { contrastSums, measureSums } from "./sum-metric.ts";

const sums = classRatio("predicted");

/**
 * Precision, TP / (TP + FP), of class 1 at `threshold` (score ≥ 0.5), or the macro mean over classes; [0, 1], higher is
 * better. Undefined, not 0, when no row is predicted positive (macro: when a class that has rows is never predicted).
 * Interval of one binary sample: Wilson over the rows predicted positive. Otherwise, and for the paired difference
 * (whose two denominators differ): BCa over rows, ABC above 5,000, the difference at least t with the degrees of freedom
 * that the few rows which differ leave. As scikit-learn's precision_score where that is defined.
 */
export const precision: MetricDefinition = {
  name: "precision",
  tasks: classificationTasks,
  direction: "higher",
  unit: "fraction",
  range: [0, 1],
  defaultOptions: { threshold: defaultThreshold },
  measure(sample, options) {
    if (sampleProblem(sample, "any") !== null || sample.classCount !== 2) return measureSums(sums, sample, options);
    const predicted = predictedClasses(sample, thresholdOf(sample, options));
    return measureShareOf(sums, sample, options, (i) => predicted[i] === 1);
  },
  contrast: (candidate: Sample, baseline: Sample, options) => contrastSums(sums, candidate, baseline, options),
};
