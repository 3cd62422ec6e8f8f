import type { EvaluationDataset } from "./read.ts";

/** The classes that a dataset has rows of for a head, in order of first appearance; none for other true values. */
export function classesIn({ rows }: Pick<EvaluationDataset, "rows">, head: string): string[] {
  const labels = new Set(rows.map((row) => row.labels[head]));
  return [...labels].filter((label) => typeof label === "string");
}
