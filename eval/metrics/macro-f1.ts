import { classRatio } from "./class-counts.ts";
import { classificationTasks, type MetricDefinition } from "./definition.ts";
import { sumDefinition } from "./row-mean.ts";
import { defaultThreshold } from "./sample.ts";

/**
 * Macro F1, the unweighted mean over classes of 2TP / (2TP + FP + FN); [0, 1], higher is better. The classes that have
 * rows or predictions count, both classes of a binary task too. With more than two classes it is `f1`. Interval: BCa over
 * rows, ABC above 5,000. As scikit-learn's f1_score, average="macro".
 */
export const macroF1: MetricDefinition = sumDefinition(
  {
    name: "macro_f1",
    tasks: classificationTasks,
    direction: "higher",
    unit: "",
    range: [0, 1],
    defaultOptions: { threshold: defaultThreshold },
    // Of two classes, reports list the F1 of the positive one.
    listed: ({ classCount }) => classCount > 2,
  },
  classRatio("both", "every class"),
);
