import { addSparseRow } from "./sparse-rows.ts";
import { columnSums, type SumStatistic, unitCount } from "./sums.ts";

/** The statistic with each unit left out, O(units × width). */
export function leaveOneOut(statistic: SumStatistic): Float64Array {
  const { cells, width, value, sparse } = statistic;
  const units = unitCount(statistic);
  const total = columnSums(statistic);
  const rest = new Float64Array(width);
  const values = new Float64Array(units);
  if (sparse !== undefined) {
    rest.set(total);
    for (let i = 0; i < units; i++) {
      addSparseRow(sparse, i, -1, rest);
      values[i] = value(rest, units - 1);
      addSparseRow(sparse, i, 1, rest);
    }
    return values;
  }
  for (let i = 0; i < units; i++) {
    for (let k = 0; k < width; k++) rest[k] = (total[k] as number) - (cells[i * width + k] as number);
    values[i] = value(rest, units - 1);
  }
  return values;
}

/** The jackknife's standard error, √((n-1)/n Σ(value - mean)²), from leave-one-out values. */
export function jackknifeError(leftOut: Float64Array): number {
  const n = leftOut.length;
  let mean = 0;
  for (const value of leftOut) mean += value / n;
  let squares = 0;
  for (const value of leftOut) squares += (value - mean) ** 2;
  return Math.sqrt((squares * (n - 1)) / n);
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

/**
 * The same for units that weigh differently, from deviations value without the unit - value: the skewness of d/√v, as
 * seen over all units, times Σv^1.5 / (Σv)^1.5, the part of it that a sum of variances v keeps. Equal v give
 * `acceleration`. `noise` is its standard error for units that are not skewed, √(6/n) / 6 of that part.
 */
export function pooledAcceleration(deviations: Float64Array, variances: Float64Array): { skew: number; noise: number } {
  let squares = 0;
  let cubes = 0;
  let sum = 0;
  let powers = 0;
  let count = 0;
  for (let i = 0; i < deviations.length; i++) {
    const v = variances[i] as number;
    if (v === 0) continue;
    const d = -(deviations[i] as number) / Math.sqrt(v);
    squares += d * d;
    cubes += d * d * d;
    sum += v;
    powers += v ** 1.5;
    count++;
  }
  const kept = powers / sum ** 1.5;
  return {
    skew: squares === 0 ? 0 : (Math.sqrt(count) * cubes * kept) / (6 * squares ** 1.5),
    noise: kept / Math.sqrt(6 * count),
  };
}
