import type { Predictions } from "../../predictions/predictions.ts";
import { wilson } from "../../stats/wilson.ts";
import { sampleOf } from "../../metrics/measure.ts";
import { defaultThreshold, predictedClasses } from "../../metrics/sample.ts";

export type ClassRecall = {
  name: string;
  rows: number;
  recall: number;
  /** Wilson's, 95 %, rows taken as independent and alike. */
  low: number;
  high: number;
  baseline: number | null;
};

export type Confusion = { truth: string; answer: string; candidate: number; baseline: number | null; ofTruth: number };

/** Recall of every class that occurs, the lowest first, and the pairs that are confused most often. */
export function classFigures(
  candidate: Predictions,
  baseline: Predictions | null,
): { recalls: ClassRecall[]; confusions: Confusion[] } {
  const { classes, labels } = candidate;
  const width = classes.length;
  const counts = (of: Predictions): { rows: Uint32Array; pairs: Map<number, number> } => {
    const predicted = predictedClasses(sampleOf(of, Int32Array.from(labels.keys())), defaultThreshold);
    const rows = new Uint32Array(width);
    const pairs = new Map<number, number>();
    labels.forEach((label, row) => {
      rows[label] = (rows[label] as number) + 1;
      const pair = label * width + (predicted[row] as number);
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    });
    return { rows, pairs };
  };
  const mine = counts(candidate);
  const other = baseline === null ? null : counts(baseline);
  const recalls = classes.flatMap((name, c): ClassRecall[] => {
    const rows = mine.rows[c] as number;
    if (rows === 0) return [];
    const right = mine.pairs.get(c * width + c) ?? 0;
    return [
      {
        name,
        rows,
        recall: right / rows,
        ...wilson(right, rows, 0.95),
        baseline: other === null ? null : (other.pairs.get(c * width + c) ?? 0) / rows,
      },
    ];
  });
  const confusions = [...mine.pairs]
    .filter(([pair]) => Math.floor(pair / width) !== pair % width)
    .map(([pair, count]): Confusion => {
      const truth = Math.floor(pair / width);
      return {
        truth: classes[truth] as string,
        answer: classes[pair % width] as string,
        candidate: count,
        baseline: other === null ? null : (other.pairs.get(pair) ?? 0),
        ofTruth: mine.rows[truth] as number,
      };
    });
  return {
    recalls: recalls.toSorted((a, b) => a.recall - b.recall || b.rows - a.rows),
    confusions: confusions.toSorted((a, b) => b.candidate - a.candidate || a.truth.localeCompare(b.truth, "en")),
  };
}
