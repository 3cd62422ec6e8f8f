import type { Sample } from "./definition.ts";

/** The per-row columns of a table, such as `Sample` or `Predictions`. */
type RowColumns = Pick<Sample, "labels" | "scores" | "weights" | "groups" | "naiveScales">;

/**
 * The rows at these positions, in this order; a position may occur several times. Whatever else the table holds stays
 * as it is.
 */
export function selectRows<Table extends RowColumns>(table: Table, rows: Int32Array): Table {
  const { labels, scores, weights, groups, naiveScales } = table;
  const width = labels.length === 0 ? 0 : Math.round(scores.length / labels.length);
  const selected = new Float64Array(rows.length * width);
  rows.forEach((row, i) => {
    for (let k = 0; k < width; k++) selected[i * width + k] = scores[row * width + k] as number;
  });
  return {
    ...table,
    labels: Float64Array.from(rows, (row) => labels[row] as number),
    scores: selected,
    weights: weights === null ? null : Float64Array.from(rows, (row) => weights[row] as number),
    groups: groups === null ? null : Array.from(rows, (row) => groups[row] as string),
    ...(naiveScales === undefined ? {} : { naiveScales: Float64Array.from(rows, (row) => naiveScales[row] as number) }),
  };
}

/** Positions of the rows of each value. Values and rows are in order of appearance. */
export function rowsByValue(values: readonly string[]): Map<string, number[]> {
  return Map.groupBy(values.keys(), (row) => values[row] as string);
}
