import { columnSums, type SumStatistic, unitCount } from "./sums.ts";

/** The statistic with each unit left out, O(units × width). */
export function leaveOneOut(statistic: SumStatistic): Float64Array {
  const { cells, width, value } = statistic;
  const units = unitCount(statistic);
  const total = columnSums(statistic);
  const rest = new Float64Array(width);
  const values = new Float64Array(units);
  for (let i = 0; i < units; i++) {
    for (let k = 0; k < width; k++) rest[k] = (total[k] as number) - (cells[i * width + k] as number);
    values[i] = value(rest, units - 1);
  }
  return values;
}

/**
 * BCa's acceleration from leave-one-out values: Σd³ / (6 (Σd²)^1.5), d = mean - value (Efron and Tibshirani, 1993, eq.
 * 14.15). 0 when nothing varies; NaN when a value is undefined.
 */
export function acceleration(leftOut: Float64Array): number {
  let mean = 0;
  for (const value of leftOut) mean += value;
  mean /= leftOut.length;
  let squares = 0;
  let cubes = 0;
  for (const value of leftOut) {
    const d = mean - value;
    squares += d * d;
    cubes += d * d * d;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}
