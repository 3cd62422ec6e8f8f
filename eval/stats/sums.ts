import { sparseGroupSums, sparseSums, type SparseRows } from "./sparse-rows.ts";

/**
 * A statistic that is a function of column sums over independent units (rows, or clusters of rows): means, ratios of
 * means, RMSE, R², precision, F1, and differences of any of these between two paired models. It can be resampled,
 * jackknifed and expanded without going back to the rows.
 */
export type SumStatistic = {
  /** Row-major, units × width; empty where they are given sparsely. */
  cells: Float64Array;
  sparse?: SparseRows;
  width: number;
  /**
   * The statistic from column sums over `count` units; NaN where undefined. Homogeneous: value(c·sums, c·count) =
   * value(sums, count).
   */
  value(sums: Float64Array, count: number): number;
};

export function unitCount(statistic: SumStatistic): number {
  return statistic.sparse?.rows ?? statistic.cells.length / statistic.width;
}

export function columnSums({ cells, width, sparse }: SumStatistic): Float64Array {
  if (sparse !== undefined) return sparseSums(sparse, width);
  const sums = new Float64Array(width);
  for (let i = 0; i < cells.length; i += width)
    for (let k = 0; k < width; k++) sums[k] = (sums[k] as number) + (cells[i + k] as number);
  return sums;
}

/**
 * The same statistic over clusters, with the cells of each group of rows added up. `groups` has one number 0 … G-1 per
 * row.
 */
export function collapseGroups(statistic: SumStatistic, groups: Uint32Array, groupCount: number): SumStatistic {
  const { cells, width, value, sparse } = statistic;
  if (sparse !== undefined) return { cells: sparseGroupSums(sparse, width, groups, groupCount), width, value };
  const collapsed = new Float64Array(groupCount * width);
  for (let row = 0; row < groups.length; row++) {
    const to = (groups[row] as number) * width;
    for (let k = 0; k < width; k++)
      collapsed[to + k] = (collapsed[to + k] as number) + (cells[row * width + k] as number);
  }
  return { ...statistic, cells: collapsed };
}
