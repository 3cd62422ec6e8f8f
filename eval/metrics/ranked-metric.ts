import type { MetricResult } from "../schema/metrics.ts";
import type { Interval } from "../schema/verdict.ts";
import { type Ends, percentile } from "../stats/bca.ts";
import { isSkewed, lengthenForSkew } from "../stats/hall.ts";
import { acceleration, jackknifeError } from "../stats/jackknife.ts";
import { affordableResamples, jackknifeBlocks } from "../stats/resamples.ts";
import { effectiveUnits } from "../stats/satterthwaite.ts";
import { expandedLevel } from "../stats/expanded-level.ts";
import {
  blocksOfUnits,
  fullWeights,
  jackknifeInterval,
  leaveBlocksOut,
  type WeightedStatistic,
  weightedReplicates,
} from "../stats/weighted-statistic.ts";
import type { ContrastResult, MeasureOptions, MetricDefinition, Sample } from "./definition.ts";
import { numberedGroups, preparePair, prepareSample, type ScoreDemand } from "./sample.ts";
import { jackknifeBias, lengthenTo, methodOf, unevenInterval, widestOverClusters } from "./uneven-interval.ts";
import { blockUnits, type Units, unitsOf } from "./unit-spread.ts";
import { unvariedInterval } from "./unvaried-interval.ts";

/** A metric that depends on the order or the bins of the whole sample. */
export type RankedMetric = {
  demand: ScoreDemand;
  range: readonly [number, number];
  /** Whether the metric rests on the rows of each class rather than on all rows alike. */
  byClass: boolean;
  /** Whether the value's bias in small samples is as large as its error, so that both its ends must hold without it. */
  biased?: boolean;
  /**
   * Whether the metric is smooth enough for a jackknife. If not, or when resamples are asked for: percentile bootstrap.
   */
  smooth: boolean;
  /**
   * Sorts once and returns the metric as a function of row weights, one O(n) pass per call; or says why there is none.
   */
  prepare(sample: Sample, options: MeasureOptions): RankedParts | string;
};
type RankedParts = {
  value(weights: Float64Array): number;
  /** Number of independent rows that carry the metric, for samples that show no variation. */
  trials: number;
  /**
   * How much one row can change the metric: 1, or for an unbounded metric the largest row value. Widths below 10^-12 of
   * it are rounding errors.
   */
  largest: number;
};

function measureRanked(metric: RankedMetric, sample: Sample, options: MeasureOptions): MetricResult {
  const n = sample.labels.length;
  const parts = prepareSample(metric, sample, options);
  if (typeof parts === "string") return { status: "undefined", reason: parts, n };
  const statistic = weighted(sample, parts.value);
  const value = parts.value(fullWeights(statistic));
  if (!Number.isFinite(value)) return { status: "undefined", reason: "the metric is undefined on these rows", n };
  if (options.intervals === false) return { status: "ok", value, interval: null, n };
  const units = unitsOf(sample, metric.byClass);
  const found = rankedInterval(metric, statistic, units, value, options, parts.largest, true);
  const [lowest, highest] = metric.range;
  const interval =
    found === "undefined"
      ? null
      : found !== "constant"
        ? found
        : unvariedInterval(value, metric.range, trialsOf(units, parts.trials), options.level, parts.largest);
  return {
    status: "ok",
    value,
    interval:
      interval === null
        ? null
        : { ...interval, low: Math.max(lowest, interval.low), high: Math.min(highest, interval.high) },
    n,
  };
}

function contrastRanked(
  metric: RankedMetric,
  candidate: Sample,
  baseline: Sample,
  options: MeasureOptions,
): ContrastResult {
  const n = candidate.labels.length;
  const wrong = (reason: string): ContrastResult => ({ status: "undefined", reason, n });
  const prepared = preparePair(metric, candidate, baseline, options);
  if (typeof prepared === "string") return wrong(prepared);
  const [one, two] = prepared;
  const relative = options.scale === "relative";
  const statistic = weighted(candidate, (weights) =>
    relative ? one.value(weights) / two.value(weights) - 1 : one.value(weights) - two.value(weights),
  );
  const full = fullWeights(statistic);
  const first = one.value(full);
  const second = two.value(full);
  if (!Number.isFinite(first) || !Number.isFinite(second)) return wrong("the metric is undefined on these rows");
  if (relative && !(second > 0)) return wrong(`the baseline's value is ${second}: there is no relative change`);
  const difference = relative ? first / second - 1 : first - second;
  const unit = relative ? second : 1;
  const units = unitsOf(candidate, metric.byClass);
  const found = rankedInterval(
    metric,
    statistic,
    units,
    difference,
    options,
    Math.max(one.largest, two.largest) / unit,
    false,
  );
  const [lowest, highest] = metric.range;
  const reach = (Number.isFinite(highest) ? highest - lowest : Math.max(one.largest, two.largest)) / unit;
  if (found === "undefined") return wrong("the metric is undefined in too many resamples: too few rows");
  const interval =
    found === "constant"
      ? unvariedInterval(
          difference,
          [-reach, reach],
          trialsOf(units, Math.min(one.trials, two.trials)),
          options.level,
          reach,
        )
      : found;
  if (interval === null) return wrong("nothing varies and no row shows what an error would cost: there is no interval");
  return { status: "ok", candidate: first, baseline: second, difference, interval, n };
}

/** The number of independent trials, or of equal ones that would weigh as evenly as the units. */
function trialsOf(units: Units | null, trials: number): number {
  return units === null ? trials : Math.min(trials, effectiveUnits(units.shares));
}

function weighted({ labels, weights, groups }: Sample, value: (weights: Float64Array) => number): WeightedStatistic {
  const numbered = numberedGroups(groups);
  return { rows: labels.length, base: weights, groups: numbered?.ids ?? null, groupCount: numbered?.count ?? 0, value };
}

/**
 * Jackknife with t for smooth metrics. In average precision and similar metrics, resampled duplicates act as ties and
 * bias the bootstrap: with 200 rows, BCa's one-sided errors were measured at twice alpha, those of the jackknife at
 * alpha.
 *
 * "constant": nothing varies. "undefined": the metric has no value in too many resamples, or in any jackknife sample.
 *
 * @param ofValue whether the estimate is one model's value rather than a difference
 */
function rankedInterval(
  metric: RankedMetric,
  statistic: WeightedStatistic,
  uneven: Units | null,
  estimate: number,
  options: MeasureOptions,
  size: number,
  ofValue: boolean,
): Interval | "constant" | "undefined" {
  const share = ofValue && estimate > 0 && estimate < 1 && metric.range[1] === 1;
  const units = statistic.groups === null ? statistic.rows : statistic.groupCount;
  if (units < 2) return "constant";
  const { level, seed } = options;
  const named = (ends: Ends | null, method: string): Interval | "constant" | "undefined" =>
    ends === null ? "undefined" : ends.high - ends.low > 1e-12 * size ? { ...ends, level, method } : "constant";
  if (metric.smooth && options.resamples === undefined) {
    const blocks = blocksOfUnits(statistic, seed, jackknifeBlocks(units));
    const leftOut = leaveBlocksOut(statistic, blocks);
    const whole = leftOut.length === units;
    const method =
      uneven === null
        ? whole
          ? "jackknife, t"
          : `delete-a-group jackknife, t, ${leftOut.length} groups`
        : `${methodOf(uneven)}${whole ? "" : `, ${leftOut.length} groups`}`;
    const ends =
      uneven === null
        ? share
          ? jackknifeInterval(leftOut, estimate, level)
          : lengthened(jackknifeInterval(leftOut, estimate, level), leftOut, estimate, level)
        : unevenInterval(leftOut, blockUnits(uneven, blocks), estimate, level, { ofValue });
    const found = named(
      ends === "undefined" || ends === null
        ? null
        : metric.biased === true && uneven?.clustered === true
          ? withBias(ends, jackknifeBias(leftOut, estimate), widestOverClusters(leftOut, level))
          : ends,
      method,
    );
    return typeof found === "string" || !share
      ? found
      : { ...onLogitScale(found, estimate), method: `${method}, logit scale` };
  }
  const resamples = options.resamples ?? affordableResamples(units);
  const replicates = weightedReplicates(statistic, seed, resamples);
  return uneven === null || options.resamples !== undefined
    ? named(percentile(replicates, level), `percentile bootstrap, ${resamples} resamples`)
    : named(
        percentile(replicates, expandedLevel(uneven, level)),
        `expanded percentile bootstrap, ${resamples} resamples`,
      );
}

/** The ends around the value and around the value without its bias, as far as a width allows. */
function withBias(ends: Ends, bias: number, widest: number): Ends {
  return lengthenTo(ends, { low: ends.low - bias, high: ends.high - bias }, widest);
}

/** Jackknife ends, lengthened where the groups' values are skewed. */
function lengthened(ends: Ends | null, leftOut: Float64Array, estimate: number, level: number): Ends | null {
  const skew = acceleration(leftOut);
  if (ends === null || !isSkewed(skew, 1 / leftOut.length)) return ends;
  const standardError = jackknifeError(leftOut);
  return lengthenForSkew(ends, { estimate, standardError, df: leftOut.length - 1, skew }, level);
}

/**
 * The same standard error around the logit of a value in (0, 1). The ends stay inside (0, 1), and values near an end
 * get the skewness that they have.
 */
function onLogitScale(interval: Interval, value: number): Interval {
  const centre = Math.log(value / (1 - value));
  const half = (interval.high - interval.low) / 2 / (value * (1 - value));
  return { ...interval, low: 1 / (1 + Math.exp(half - centre)), high: 1 / (1 + Math.exp(-half - centre)) };
}

/** A definition whose value, interval and paired contrast all come from row weights. */
export function rankedDefinition(
  described: Omit<MetricDefinition, "measure" | "contrast">,
  metric: RankedMetric,
): MetricDefinition {
  return {
    ...described,
    measure: (sample, options) => measureRanked(metric, sample, options),
    contrast: (candidate, baseline, options) => contrastRanked(metric, candidate, baseline, options),
  };
}
