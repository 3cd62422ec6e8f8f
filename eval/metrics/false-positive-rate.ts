import type { MetricDefinition, Sample } from "./definition.ts";
import { rowMeanSums } from "./row-mean.ts";
import { selectRows } from "../predictions/select-rows.ts";
import { contrastProblem, defaultThreshold, predictedClasses, sampleProblem, thresholdOf } from "./sample.ts";
import { contrastShare, measureShare } from "./share.ts";

/** 1 for each row that is predicted class 1. */
const alarms = rowMeanSums("any", [0, 1], (sample, options) =>
  Float64Array.from(predictedClasses(sample, thresholdOf(sample, options))),
);

const negativesOf = (sample: Sample) => Int32Array.from(sample.labels.keys()).filter((i) => sample.labels[i] === 0);

/**
 * False-positive rate, FP / (FP + TN), of class 1 at `threshold` (the head's own, else score ≥ 0.5); [0, 1], lower is
 * better. Binary. A share of the negative rows, with Wilson's interval, and with Tango's for the paired difference; n
 * counts those rows. Undefined without negative rows. 1 - scikit-learn's recall_score of class 0.
 */
export const falsePositiveRate: MetricDefinition = {
  name: "false_positive_rate",
  tasks: ["binary-classification"],
  direction: "lower",
  unit: "fraction",
  range: [0, 1],
  defaultOptions: { threshold: defaultThreshold },
  measure(sample, options) {
    const problem = sampleProblem(sample, "any");
    if (problem !== null) return { status: "undefined", reason: problem, n: sample.labels.length };
    const negatives = negativesOf(sample);
    return negatives.length === 0
      ? { status: "undefined", reason: "there are no negative rows: the false-positive rate is 0/0", n: 0 }
      : measureShare(alarms, selectRows(sample, negatives), options);
  },
  contrast(candidate, baseline, options) {
    const problem = contrastProblem(candidate, baseline, "any");
    if (problem !== null) return { status: "undefined", reason: problem, n: candidate.labels.length };
    const negatives = negativesOf(candidate);
    return negatives.length === 0
      ? { status: "undefined", reason: "there are no negative rows: the false-positive rate is 0/0", n: 0 }
      : contrastShare(alarms, selectRows(candidate, negatives), selectRows(baseline, negatives), options);
  },
};
