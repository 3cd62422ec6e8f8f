import { adjustedLevel, biasCorrection, bootstrapQuantile } from "./quantile.ts";

export type Ends = { low: number; high: number };

/**
 * Bias-corrected and accelerated bootstrap interval (B. Efron, JASA 82, 1987), two-sided at `level`. Replicates where
 * the statistic is undefined (NaN) are left out. Null when that is more than one in twenty, because the interval would
 * then describe another, easier problem. `acceleration` comes from the jackknife; 0 gives BC.
 */
export function bca(replicates: Float64Array, estimate: number, acceleration: number, level: number): Ends | null {
  const sorted = replicates.filter((value) => !Number.isNaN(value)).sort();
  if (sorted.length < 0.95 * replicates.length || Number.isNaN(acceleration)) return null;
  const bias = biasCorrection(sorted, estimate);
  const tail = (1 - level) / 2;
  return {
    low: bootstrapQuantile(sorted, adjustedLevel(tail, bias, acceleration)),
    high: bootstrapQuantile(sorted, adjustedLevel(1 - tail, bias, acceleration)),
  };
}

/**
 * Percentile bootstrap interval, for statistics that are not smooth enough for a jackknife. Undefined replicates are
 * treated as in `bca`.
 */
export function percentile(replicates: Float64Array, level: number): Ends | null {
  const sorted = replicates.filter((value) => !Number.isNaN(value)).sort();
  if (sorted.length < 0.95 * replicates.length) return null;
  const tail = (1 - level) / 2;
  return { low: bootstrapQuantile(sorted, tail), high: bootstrapQuantile(sorted, 1 - tail) };
}
