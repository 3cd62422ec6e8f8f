import type { Interval } from "../schema/verdict.ts";
import type { Ends } from "../stats/bca.ts";
import { heavyTailedDegrees } from "../stats/effective-degrees.ts";
import { isSkewed, lengthenForSkew } from "../stats/hall.ts";
import { heavyTailedInterval } from "../stats/heavy-tails.ts";
import { jackknifeError, pooledAcceleration } from "../stats/jackknife.ts";
import { studentQuantile } from "../stats/student.ts";
import type { Moments } from "../stats/uneven-moments.ts";
import { unitMoments, type Units } from "./unit-spread.ts";

/** What a statistic asks of its interval over units. */
type SkewDemand = {
  /** What the skewness is multiplied by, however small it is; default: as for means, where it is visible. */
  factor?: number | undefined;
  /** Whether the statistic is one model's value rather than a difference. */
  ofValue: boolean;
  /** Whether differences over clusters have heavy tails (see `heavyTailedInterval`). */
  heavyTails?: boolean;
};

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
  demand: SkewDemand,
): Interval | "undefined" {
  const deviations = centred(leftOut, units);
  const moments = unitMoments(deviations, units);
  if (!(moments.variance < Infinity)) return "undefined";
  return {
    ...momentsInterval(moments, deviations, units, estimate, level, demand),
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

/** Estimate ± t · √variance, lengthened where the deviations are skewed. */
export function momentsInterval(
  { variance, df }: Moments,
  deviations: Float64Array,
  units: Units,
  estimate: number,
  level: number,
  { factor, ofValue, heavyTails = false }: SkewDemand,
): Ends {
  const standardError = Math.sqrt(variance);
  const half = studentQuantile(0.5 + level / 2, df) * standardError;
  const ends = { low: estimate - half, high: estimate + half };
  const { skew, noise } = pooledAcceleration(deviations, units.independent);
  if (heavyTails && units.clustered && !ofValue) {
    const effectiveDf = heavyTailedDegrees(df, deviations, units.independent);
    const widest = widestOverClusters(deviations, level);
    return heavyTailedInterval({ estimate, standardError, df, effectiveDf, skew }, level, widest);
  }
  if (factor === undefined && !isSkewed(skew, noise / 2)) return ends;
  const skewed = { estimate, standardError, df, skew, ...(factor === undefined ? {} : { factor }) };
  const room = widestOverClusters(deviations, level) / half - 1;
  const maxFactor = !units.clustered ? Infinity : ofValue ? maxFactorOfValue : Math.max(1, room);
  return lengthenForSkew(ends, skewed, level, maxFactor);
}

/** Largest factor by which the long end of one model's value may exceed t's. Few clusters look skewed by chance. */
const maxFactorOfValue = 1.6;

/** By what factor all corrections together may lengthen the interval of a difference. */
export const largestFactor = 1.15;

/**
 * Up to what width corrections may lengthen the interval of a difference over clusters: `largestFactor` times that of t
 * over clusters, the jackknife that leaves one out with clusters - 1 degrees of freedom.
 */
export function widestOverClusters(leftOut: Float64Array, level: number): number {
  return 2 * largestFactor * studentQuantile(0.5 + level / 2, leftOut.length - 1) * jackknifeError(leftOut);
}

/** The ends moved outwards to those wanted, both by the same part where all of it would exceed a width. */
export function lengthenTo(ends: Ends, wanted: Ends, widest: number): Ends {
  const [down, up] = [Math.max(0, ends.low - wanted.low), Math.max(0, wanted.high - ends.high)];
  const room = widest - (ends.high - ends.low);
  if (!(down + up > 0 && room > 0)) return ends;
  const part = Math.min(1, room / (down + up));
  return { low: ends.low - part * down, high: ends.high + part * up };
}

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
