import type { Predictions } from "../../../eval/predictions/predictions.ts";

/** Binary predictions from rows of [id, label, score]. */
export function binary(
  rows: readonly (readonly [id: string, label: number, score: number])[],
  more: Partial<Predictions> = {},
): Predictions {
  return {
    head: "score",
    task: "binary-classification",
    classes: ["0", "1"],
    ids: rows.map(([id]) => id),
    labels: Float64Array.from(rows, ([, label]) => label),
    scores: Float64Array.from(rows, ([, , score]) => score),
    slices: {},
    groups: null,
    weights: null,
    datasetDigest: null,
    ...more,
  };
}

/** Multiclass predictions from rows of [id, class index, probabilities]. */
export function multiclass(
  classes: string[],
  rows: readonly (readonly [id: string, label: number, scores: readonly number[]])[],
  more: Partial<Predictions> = {},
): Predictions {
  return {
    ...binary(rows.map(([id, label]) => [id, label, 0])),
    task: "multiclass-classification",
    classes,
    scores: Float64Array.from(rows.flatMap(([, , scores]) => scores)),
    ...more,
  };
}
