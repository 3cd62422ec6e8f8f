import type { Ends } from "./bca.ts";
import { degreesOf } from "./effective-degrees.ts";
import { normalQuantile } from "./normal.ts";
import { addSparseRow } from "./sparse-rows.ts";
import { columnSums, type SumStatistic, unitCount } from "./sums.ts";

/**
 * Approximate bootstrap confidence interval (DiCiccio and Efron, Biometrika 79, 1992; Efron and Tibshirani, 1993, ch.
 * 22): the BCa interval by analytic expansion instead of resampling. For smooth functions of means it differs from BCa
 * by O(n^-1.5) and has no Monte Carlo error, so it is used for large samples: O(units × width), no seed. The bias
 * correction is the linear a - (b/σ - c), as in R's boot. Derivatives are numerical, with respect to the units'
 * probability weights. Null without variation; ends are NaN where the statistic is undefined.
 *
 * Also returns what the expansion rests on: the standard error, its degrees of freedom, and the acceleration, a sixth of
 * the skewness.
 */
export function abc(
  statistic: SumStatistic,
  level: number,
): (Ends & { standardError: number; df: number; acceleration: number }) | null {
  const { cells, width, value, sparse } = statistic;
  const units = unitCount(statistic);
  const mean = columnSums(statistic).map((sum) => sum / units);
  const estimate = value(mean, 1);
  const step = Math.max(0.01 / units, 1e-8);
  const moved = mean.slice();
  /** The value a step towards unit i (or away from it): mean + s (cell - mean), which is (1 - s) (mean + t cell). */
  const towards = (i: number, s: number): number => {
    if (sparse === undefined) {
      for (let k = 0; k < width; k++)
        moved[k] = (mean[k] as number) + s * ((cells[i * width + k] as number) - (mean[k] as number));
      return value(moved, 1);
    }
    const t = s / (1 - s);
    addSparseRow(sparse, i, t, moved);
    const found = value(moved, 1 + t);
    // Set back exactly, so that no rounding error adds up.
    for (let at = i * sparse.perRow; at < (i + 1) * sparse.perRow; at++) {
      const column = sparse.columns[at] as number;
      if (column >= 0) moved[column] = mean[column] as number;
    }
    return found;
  };
  const direction = new Float64Array(width);
  let squares = 0;
  let cubes = 0;
  let fourths = 0;
  let curvature = 0;
  for (let i = 0; i < units; i++) {
    const up = towards(i, step);
    const down = towards(i, -step);
    const slope = (up - down) / (2 * step);
    curvature += (up - 2 * estimate + down) / (step * step);
    squares += slope * slope;
    cubes += slope * slope * slope;
    fourths += slope ** 4;
    if (sparse !== undefined) addSparseRow(sparse, i, slope, direction);
    else
      for (let k = 0; k < width; k++)
        direction[k] = (direction[k] as number) + slope * (cells[i * width + k] as number);
  }
  const sigma = Math.sqrt(squares) / units;
  if (sigma === 0) return null;
  for (let k = 0; k < width; k++) direction[k] = (direction[k] as number) / (units * units * sigma);
  const along = (lambda: number): number => {
    for (let k = 0; k < width; k++) moved[k] = (mean[k] as number) + lambda * (direction[k] as number);
    return value(moved, 1);
  };
  const acceleration = cubes / (6 * squares ** 1.5);
  // One standard error is a step of 1 along the direction. A thousandth of it keeps both rounding error and curvature
  // small.
  const bend = (along(1e-3) - 2 * estimate + along(-1e-3)) / (2e-6 * sigma);
  const bias = curvature / (2 * units * units);
  const z0 = acceleration - (bias / sigma - bend);
  const end = (p: number): number => {
    const w = z0 + normalQuantile(p);
    return along(w / (1 - acceleration * w) ** 2);
  };
  return {
    low: end((1 - level) / 2),
    high: end((1 + level) / 2),
    standardError: sigma,
    df: degreesOf(squares, fourths, units),
    acceleration,
  };
}
