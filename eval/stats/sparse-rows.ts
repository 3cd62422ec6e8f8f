/**
 * Rows of a wide table of which each has few cells that are not 0, such as counts per class. Row i has the entries i ·
 * perRow … (i + 1) · perRow - 1; a column of -1 is none, and entries of one column add up.
 */
export type SparseRows = { rows: number; perRow: number; columns: Int32Array; values: Float64Array };

/** Adds `times` times a row to `into`. */
export function addSparseRow(sparse: SparseRows, row: number, times: number, into: Float64Array): void {
  const { perRow, columns, values } = sparse;
  for (let at = row * perRow; at < (row + 1) * perRow; at++) {
    const column = columns[at] as number;
    if (column >= 0) into[column] = (into[column] as number) + times * (values[at] as number);
  }
}

export function sparseSums(sparse: SparseRows, width: number): Float64Array {
  const sums = new Float64Array(width);
  for (let row = 0; row < sparse.rows; row++) addSparseRow(sparse, row, 1, sums);
  return sums;
}

/** The sums of each group's rows, groupCount × width. */
export function sparseGroupSums(
  sparse: SparseRows,
  width: number,
  groups: Uint32Array,
  groupCount: number,
): Float64Array {
  const sums = new Float64Array(groupCount * width);
  for (let row = 0; row < sparse.rows; row++) {
    const at = (groups[row] as number) * width;
    addSparseRow(sparse, row, 1, sums.subarray(at, at + width));
  }
  return sums;
}

/** Whether every row has the entries of the first one, in the same order. */
export function sparseRowsAlike({ perRow, columns, values }: SparseRows): boolean {
  for (let at = perRow; at < columns.length; at++)
    if (columns[at] !== columns[at % perRow] || values[at] !== values[at % perRow]) return false;
  return true;
}

/** Tables side by side: the columns of each begin where those of the one before end. All have the same rows. */
export function sideBySide(tables: readonly { sparse: SparseRows; width: number }[]): SparseRows {
  const rows = tables[0]?.sparse.rows ?? 0;
  const perRow = tables.reduce((sum, { sparse }) => sum + sparse.perRow, 0);
  const columns = new Int32Array(rows * perRow);
  const values = new Float64Array(rows * perRow);
  let [first, offset] = [0, 0];
  for (const { sparse, width } of tables) {
    for (let row = 0; row < rows; row++)
      for (let k = 0; k < sparse.perRow; k++) {
        const column = sparse.columns[row * sparse.perRow + k] as number;
        columns[row * perRow + first + k] = column < 0 ? -1 : column + offset;
        values[row * perRow + first + k] = sparse.values[row * sparse.perRow + k] as number;
      }
    first += sparse.perRow;
    offset += width;
  }
  return { rows, perRow, columns, values };
}
