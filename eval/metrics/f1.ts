import { classRatio } from "./class-counts.ts";
import { classificationTasks, type MetricDefinition } from "./definition.ts";
import { sumDefinition } from "./row-mean.ts";
import { defaultThreshold } from "./sample.ts";

/**
 * F1, 2TP / (2TP + FP + FN), of class 1 at `threshold` (score ≥ 0.5), or the macro mean over classes that have rows or
 * predictions; [0, 1], higher is better. Undefined where that is 0/0. Interval: BCa over rows, ABC above
 * 5,000, the difference at least t with the degrees of freedom that the few rows which differ leave. As scikit-learn's f1_score, average="binary" or "macro".
 */
export const f1: MetricDefinition = sumDefinition(
  {
    name: "f1",
    tasks: classificationTasks,
    direction: "higher",
    unit: "",
    range: [0, 1],
    defaultOptions: { threshold: defaultThreshold },
  },
  classRatio("both"),
);
