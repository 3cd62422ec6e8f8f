import type { MetricResult } from "../schema/metrics.ts";
import type { Interval } from "../schema/verdict.ts";
import {
  logitInterval,
  noVariance,
  sameKernelInterval,
  stratifiedMoments,
  waldInterval,
  weightedStratifiedMoments,
} from "../stats/deLong.ts";
import { lengthenForSkew } from "../stats/hall.ts";
import { acceleration } from "../stats/jackknife.ts";
import type { Moments } from "../stats/uneven-moments.ts";
import type { ContrastResult, MeasureOptions, MetricDefinition, Sample } from "./definition.ts";
import { selectRows } from "../predictions/select-rows.ts";
import { classCounts, contrastProblem, sampleProblem } from "./sample.ts";
import { momentsInterval, onRangeScale } from "./uneven-interval.ts";
import { unitMoments, type Units, unitsOf } from "./unit-spread.ts";

/** A metric's value with each row's contribution to its error, which add up to 0. */
export type Components = { value: number; influence: Float64Array };

/** A metric of classes in [0, 1] whose rows' contributions are known in closed form. */
export type InfluenceMetric = {
  /** What the variance is called, e.g. DeLong. */
  method: { rows: string; clusters: string };
  /** From which skewness of the contributions on the interval is lengthened, and what it is multiplied by. */
  skewness: { from: number; factor: number };
  components(sample: Sample): Components;
};

function missingClass(sample: Sample): string | null {
  const empty = classCounts(sample).indexOf(0);
  if (empty < 0) return null;
  return sample.classCount === 2
    ? `there are no ${empty === 1 ? "positive" : "negative"} rows`
    : `class ${empty} has no rows`;
}

/**
 * Number of pairs that share no row and no cluster. With more than two classes, every class has its own pairs and a
 * share of the error rate. That share is taken off the number of pairs here, which bounds it from below.
 */
function disjointPairs(sample: Sample, units: Units | null): number {
  const pairs = Math.min(...classCounts(sample)) / Math.max(1, Math.log2(sample.classCount));
  return units === null || !units.clustered ? pairs : Math.min(pairs, units.count / 2);
}

function intervalOf(
  { method, skewness }: InfluenceMetric,
  sample: Sample,
  estimate: number,
  influence: Float64Array,
  level: number,
  lowest: number,
  highest: number,
  ofValue: boolean,
  valueOn: (rows: Int32Array) => number,
): Interval | null {
  const logit = ofValue && estimate > 0 && estimate < 1;
  const units = unitsOf(sample, true);
  const clustered = units?.clustered === true;
  const deviations = clustered ? clusterDeviations(influence, units, (rows) => valueOn(rows) - estimate) : null;
  const found = moments(sample, influence, units, deviations);
  if (Number.isNaN(found.variance)) return null;
  if (found.variance <= noVariance)
    return {
      ...sameKernelInterval(estimate, disjointPairs(sample, units), level, lowest, highest),
      level,
      method: "no variation seen: rule of three over disjoint pairs",
    };
  const name = clustered
    ? `${method.clusters}, t over ${units.count} clusters`
    : `${method.rows}, Welch-Satterthwaite t`;
  if (deviations !== null) {
    const factor = skewness.from === 0 ? skewness.factor : undefined;
    const ends = momentsInterval(found, deviations, units as Units, estimate, level, { factor, ofValue });
    if (logit) return { ...onRangeScale(ends, estimate, [0, 1]), level, method: `${name}, logit scale` };
    return { low: Math.max(lowest, ends.low), high: Math.min(highest, ends.high), level, method: name };
  }
  if (logit) return { ...logitInterval(estimate, found, level), level, method: `${name}, logit scale` };
  const ends = waldInterval(estimate, found, level, lowest, highest);
  const skew = acceleration(influence.map((value) => -value));
  if (Math.abs(skew) <= skewness.from) return { ...ends, level, method: name };
  const standardError = Math.sqrt(found.variance);
  const { low, high } = lengthenForSkew(
    ends,
    { estimate, standardError, df: found.df, skew, factor: skewness.factor },
    level,
  );
  return {
    low: Math.max(lowest, low),
    high: Math.min(highest, high),
    level,
    method: `${name}, lengthened for skewness`,
  };
}

function moments(
  { labels, classCount, weights }: Sample,
  influence: Float64Array,
  units: Units | null,
  deviations: Float64Array | null,
): Moments {
  if (units === null) return stratifiedMoments(influence, labels, classCount, weights);
  return deviations === null
    ? weightedStratifiedMoments(influence, labels, classCount, weights as Float64Array)
    : unitMoments(deviations, units);
}

/** Up to so many clusters the value is computed anew without each. With more, a cluster changes the others' part little. */
const leaveOutClusters = 40;

/** What the value would change by without each cluster: exactly where they are few, otherwise -Σφ / (1 - share). */
function clusterDeviations(
  influence: Float64Array,
  { ids, count, shares }: Units,
  without: (rows: Int32Array) => number,
): Float64Array {
  if (count <= leaveOutClusters)
    return Float64Array.from({ length: count }, (_, g) =>
      without(Int32Array.from(influence.keys()).filter((i) => (ids as Uint32Array)[i] !== g)),
    );
  const sums = new Float64Array(shares.length);
  influence.forEach((value, i) => {
    const g = (ids as Uint32Array)[i] as number;
    sums[g] = (sums[g] as number) + value;
  });
  return sums.map((sum, g) => -sum / (1 - (shares[g] as number)));
}

function measure(metric: InfluenceMetric, sample: Sample, options: MeasureOptions): MetricResult {
  const n = sample.labels.length;
  const problem = sampleProblem(sample, "any") ?? missingClass(sample);
  if (problem !== null) return { status: "undefined", reason: problem, n };
  const { value, influence } = metric.components(sample);
  if (options.intervals === false) return { status: "ok", value, interval: null, n };
  return {
    status: "ok",
    value,
    interval: intervalOf(
      metric,
      sample,
      value,
      influence,
      options.level,
      0,
      1,
      true,
      (rows) => metric.components(selectRows(sample, rows)).value,
    ),
    n,
  };
}

function contrast(
  metric: InfluenceMetric,
  candidate: Sample,
  baseline: Sample,
  options: MeasureOptions,
): ContrastResult {
  const n = candidate.labels.length;
  const problem = contrastProblem(candidate, baseline, "any") ?? missingClass(candidate);
  if (problem !== null) return { status: "undefined", reason: problem, n };
  const one = metric.components(candidate);
  const two = metric.components(baseline);
  const relative = options.scale === "relative";
  if (relative && two.value === 0)
    return { status: "undefined", reason: "the baseline's value is 0: there is no relative change", n };
  // Delta method for the ratio A/B - 1: its contributions are (φA - (A/B) φB) / B.
  const unit = relative ? two.value : 1;
  const ratio = relative ? one.value / two.value : 1;
  const { influence } = one;
  if (relative)
    for (let i = 0; i < n; i++) influence[i] = ((influence[i] as number) - ratio * (two.influence[i] as number)) / unit;
  else for (let i = 0; i < n; i++) influence[i] = (influence[i] as number) - (two.influence[i] as number);
  const difference = relative ? ratio - 1 : one.value - two.value;
  const valueOn = (rows: Int32Array): number => {
    const [a, b] = [candidate, baseline].map((sample) => metric.components(selectRows(sample, rows)).value);
    return relative ? (a as number) / (b as number) - 1 : (a as number) - (b as number);
  };
  const interval = intervalOf(
    metric,
    candidate,
    difference,
    influence,
    options.level,
    -1 / unit,
    1 / unit,
    false,
    valueOn,
  );
  if (interval === null)
    return {
      status: "undefined",
      reason: "a class with a single row, or a single cluster, leaves no variance to estimate",
      n,
    };
  return { status: "ok", candidate: one.value, baseline: two.value, difference, interval, n };
}

/** A definition whose value, interval and paired contrast all come from the rows' contributions. */
export function influenceDefinition(
  described: Omit<MetricDefinition, "measure" | "contrast">,
  metric: InfluenceMetric,
): MetricDefinition {
  return {
    ...described,
    measure: (sample, options) => measure(metric, sample, options),
    contrast: (candidate, baseline, options) => contrast(metric, candidate, baseline, options),
  };
}
