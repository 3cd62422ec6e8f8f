import { eachDraw } from "./draws.ts";
import { addSparseRow, type SparseRows } from "./sparse-rows.ts";
import { type SumStatistic, unitCount } from "./sums.ts";

/**
 * Column sums of resamples `from` … `to - 1`. Each draws as many units as there are, with replacement. Resample r uses
 * stream r of `seed` and nothing else, so any division of the range gives the same numbers. Returns (to - from) ×
 * width, row-major.
 */
export function resampledSums(
  cells: Float64Array,
  width: number,
  seed: number,
  from: number,
  to: number,
): Float64Array {
  const units = cells.length / width;
  const sums = new Float64Array((to - from) * width);
  const one = new Float64Array(width);
  const add = (drawn: Uint32Array, count: number) => {
    if (width === 1) one[0] = (one[0] as number) + sumOf(cells, drawn, count);
    else addRows(cells, width, drawn, count, one);
  };
  for (let r = from; r < to; r++) {
    one.fill(0);
    eachDraw(seed, r, units, add);
    sums.set(one, (r - from) * width);
  }
  return sums;
}

function sumOf(values: Float64Array, drawn: Uint32Array, count: number): number {
  let even = 0;
  let odd = 0;
  let i = 0;
  for (; i + 1 < count; i += 2) {
    even += values[drawn[i] as number] as number;
    odd += values[drawn[i + 1] as number] as number;
  }
  if (i < count) even += values[drawn[i] as number] as number;
  return even + odd;
}

/** Two columns at a time, summed in registers. Every column is summed in the order of the draws. */
function addRows(cells: Float64Array, width: number, drawn: Uint32Array, count: number, into: Float64Array): void {
  let column = 0;
  for (; column + 1 < width; column += 2) {
    let left = into[column] as number;
    let right = into[column + 1] as number;
    for (let i = 0; i < count; i++) {
      const at = (drawn[i] as number) * width + column;
      left += cells[at] as number;
      right += cells[at + 1] as number;
    }
    into[column] = left;
    into[column + 1] = right;
  }
  if (column === width) return;
  let last = into[column] as number;
  for (let i = 0; i < count; i++) last += cells[(drawn[i] as number) * width + column] as number;
  into[column] = last;
}

/** The statistic of each resample from its column sums; NaN where undefined. */
export function replicatesFromSums(statistic: SumStatistic, sums: Float64Array): Float64Array {
  const { width, value } = statistic;
  const units = unitCount(statistic);
  const replicates = new Float64Array(sums.length / width);
  for (let r = 0; r < replicates.length; r++) replicates[r] = value(sums.subarray(r * width, (r + 1) * width), units);
  return replicates;
}

/** `resamples` bootstrap replicates of a statistic, in this thread. */
export function bootstrapReplicates(statistic: SumStatistic, seed: number, resamples: number): Float64Array {
  if (statistic.sparse !== undefined) return sparseReplicates(statistic, statistic.sparse, seed, resamples);
  return replicatesFromSums(statistic, resampledSums(statistic.cells, statistic.width, seed, 0, resamples));
}

/** The same draws, each adding only the cells that are not 0. */
function sparseReplicates(
  { width, value }: SumStatistic,
  sparse: SparseRows,
  seed: number,
  resamples: number,
): Float64Array {
  const replicates = new Float64Array(resamples);
  const sums = new Float64Array(width);
  const add = (drawn: Uint32Array, count: number) => {
    for (let i = 0; i < count; i++) addSparseRow(sparse, drawn[i] as number, 1, sums);
  };
  for (let r = 0; r < resamples; r++) {
    sums.fill(0);
    eachDraw(seed, r, sparse.rows, add);
    replicates[r] = value(sums, sparse.rows);
  }
  return replicates;
}
