import { classRatio } from "./class-counts.ts";
import { classificationTasks, type MetricDefinition } from "./definition.ts";
import { selectRows } from "../predictions/select-rows.ts";
import { contrastProblem, defaultThreshold, sampleProblem } from "./sample.ts";
import { contrastShare, measureShareOf } from "./share.ts";
import { contrastSums, measureSums } from "./sum-metric.ts";
import { correctRows } from "./accuracy.ts";

const sums = classRatio("true");

/**
 * Recall (true-positive rate), TP / (TP + FN), of class 1 at `threshold` (score ≥ 0.5), or the macro mean over the
 * classes that have rows (balanced accuracy); [0, 1], higher is better. Undefined without positive rows. Binary: a
 * share of the positive rows, with Wilson's interval, and with Tango's for the paired difference; n counts those rows.
 * Macro or a relative scale: BCa over rows, ABC above 5,000. As scikit-learn's
 * recall_score and balanced_accuracy_score.
 */
export const recall: MetricDefinition = {
  name: "recall",
  tasks: classificationTasks,
  direction: "higher",
  unit: "fraction",
  range: [0, 1],
  defaultOptions: { threshold: defaultThreshold },
  measure(sample, options) {
    if (sampleProblem(sample, "any") !== null || sample.classCount !== 2) return measureSums(sums, sample, options);
    return measureShareOf(sums, sample, options, (i) => sample.labels[i] === 1);
  },
  contrast(candidate, baseline, options) {
    if (
      contrastProblem(candidate, baseline, "any") !== null ||
      candidate.classCount !== 2 ||
      !candidate.labels.includes(1)
    )
      return contrastSums(sums, candidate, baseline, options);
    const positives = Int32Array.from(candidate.labels.keys()).filter((i) => candidate.labels[i] === 1);
    return contrastShare(correctRows, selectRows(candidate, positives), selectRows(baseline, positives), options);
  },
};
