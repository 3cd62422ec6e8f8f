import type { Sample } from "./definition.ts";
import { defaultThreshold, predictedClasses, sampleProblem } from "./sample.ts";

/**
 * Rows (or their weights) by true class, then predicted class. Binary: [[TN, FP], [FN, TP]]. As scikit-learn's
 * confusion_matrix.
 */
export type Confusion = { status: "ok"; counts: number[][] } | { status: "undefined"; reason: string };

/** Confusion counts for reports, at a threshold (binary) or by the largest score. */
export function confusion(sample: Sample, threshold = defaultThreshold): Confusion {
  const problem = sampleProblem(sample, "any");
  if (problem !== null) return { status: "undefined", reason: problem };
  if (sample.classCount === 0) return { status: "undefined", reason: "a regression has no classes" };
  const counts = Array.from({ length: sample.classCount }, () => Array.from({ length: sample.classCount }, () => 0));
  predictedClasses(sample, threshold).forEach((predicted, i) => {
    const row = counts[sample.labels[i] as number] as number[];
    row[predicted] = (row[predicted] as number) + (sample.weights === null ? 1 : (sample.weights[i] as number));
  });
  return { status: "ok", counts };
}
