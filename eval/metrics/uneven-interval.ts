import type { Interval } from "../schema/verdict.ts";
import { isSkewed, lengthenForSkew } from "../stats/hall.ts";
import { pooledAcceleration } from "../stats/jackknife.ts";
import { studentQuantile } from "../stats/student.ts";
import type { Moments } from "../stats/uneven-moments.ts";
import { unitMoments, type Units } from "./unit-spread.ts";

/**
 * Interval of a statistic over clusters, or rows of uneven weight: estimate ± t · √variance (see `unitMoments`),
 * lengthened where the units are skewed. With equal clusters it is the jackknife with t over clusters.
 *
 * @param leftOut the statistic without each unit
 * @returns "undefined" where a value is, or where one unit has all the weight
 */
export function unevenInterval(
  leftOut: Float64Array,
  units: Units,
  estimate: number,
  level: number,
  skewFactor?: number,
): Interval | "undefined" {
  const deviations = centred(leftOut, units);
  const moments = unitMoments(deviations, units);
  if (!(moments.variance < Infinity)) return "undefined";
  return {
    ...momentsInterval(moments, deviations, units, estimate, level, skewFactor),
    level,
    method: methodOf(units),
  };
}

/**
 * Each unit's deviation without the statistic's bias: less the mean by the weight that is left, which is the estimate
 * itself for a mean over rows.
 */
function centred(leftOut: Float64Array, { shares }: Units): Float64Array {
  let sum = 0;
  let weight = 0;
  leftOut.forEach((value, g) => {
    const left = 1 - (shares[g] as number);
    sum += left * value;
    weight += left;
  });
  return leftOut.map((value) => value - sum / weight);
}

/**
 * Estimate ± t · √variance, lengthened where the deviations are skewed.
 *
 * @param factor what the skewness is multiplied by, however small it is; default: as for means, where it is visible
 */
export function momentsInterval(
  { variance, df }: Moments,
  deviations: Float64Array,
  units: Units,
  estimate: number,
  level: number,
  factor?: number,
): { low: number; high: number } {
  const standardError = Math.sqrt(variance);
  const half = studentQuantile(0.5 + level / 2, df) * standardError;
  const ends = { low: estimate - half, high: estimate + half };
  const { skew, noise } = pooledAcceleration(deviations, units.independent);
  const maxFactor = units.clustered ? maxFactorOverClusters : Infinity;
  if (factor === undefined && !isSkewed(skew, noise / 2)) return ends;
  const skewed = { estimate, standardError, df, skew, ...(factor === undefined ? {} : { factor }) };
  return lengthenForSkew(ends, skewed, level, maxFactor);
}

/** So that the interval is at most 1.15 times as wide as t over clusters: few clusters look skewed by chance. */
const maxFactorOverClusters = 1.3;

/**
 * The jackknife's estimate of bias (Quenouille 1956): units - 1 times what leaving one out changes the value by on
 * average.
 */
export function jackknifeBias(leftOut: Float64Array, estimate: number): number {
  const mean = leftOut.reduce((sum, value) => sum + value / leftOut.length, 0);
  return (leftOut.length - 1) * (mean - estimate);
}

/** Scales on which the interval of one model's value is symmetric, so that it stays in the metric's range. */
export function onRangeScale(
  ends: { low: number; high: number },
  value: number,
  [lowest, highest]: readonly [number, number],
): { low: number; high: number } {
  if (lowest !== 0 || !(value > 0 && value < highest)) return ends;
  const slope = highest === Infinity ? 1 / value : highest / (value * (highest - value));
  const [down, up] = [(value - ends.low) * slope, (ends.high - value) * slope];
  if (highest === Infinity) return { low: value * Math.exp(-down), high: value * Math.exp(up) };
  const odds = value / (highest - value);
  const inverse = (ratio: number): number => highest / (1 + 1 / (odds * ratio));
  return { low: inverse(Math.exp(-down)), high: inverse(Math.exp(up)) };
}

/** What reports call the interval. */
export function methodOf({ clustered, count }: Units): string {
  return !clustered ? "weighted jackknife, t" : `cluster jackknife, t over ${count} clusters`;
}
