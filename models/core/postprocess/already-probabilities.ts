import type { ClassificationHead } from "./schema.ts";

/** Fewest rows by which softmax over probabilities is told from logits. */
export const enoughRows = 16;

/** float16 outputs are no more exact than this. */
const tolerance = 1e-2;

/**
 * Whether what a softmax head reads is already a distribution on every row: no number below 0, and a sum of 1. Real
 * logits are so on sixteen rows by no accident. For a single logit this cannot be told from the numbers alone; see
 * `eval/judge/score-notes.ts`.
 *
 * @param rows raw numbers of the head's output, per row
 */
export function alreadyProbabilities(head: ClassificationHead, rows: readonly (readonly number[])[]): boolean {
  return (
    head.activation === "softmax" &&
    rows.length >= enoughRows &&
    rows.every(
      (row) =>
        row.every((value) => value >= 0 && value <= 1 + tolerance) &&
        Math.abs(row.reduce((sum, value) => sum + value, 0) - 1) <= tolerance,
    )
  );
}
