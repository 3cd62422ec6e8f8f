import type { MetricResult } from "../schema/metrics.ts";
import type { Interval } from "../schema/verdict.ts";
import { abc } from "../stats/abc.ts";
import { bca, type Ends } from "../stats/bca.ts";
import { bootstrapReplicates } from "../stats/bootstrap.ts";
import { effectiveDegrees } from "../stats/effective-degrees.ts";
import { isSkewed, lengthenForSkew } from "../stats/hall.ts";
import { acceleration, jackknifeError, leaveOneOut } from "../stats/jackknife.ts";
import { sideBySide, type SparseRows, sparseRowsAlike } from "../stats/sparse-rows.ts";
import { defaultResamples, largeSample } from "../stats/resamples.ts";
import { effectiveUnits } from "../stats/satterthwaite.ts";
import { collapseGroups, columnSums, type SumStatistic, unitCount } from "../stats/sums.ts";
import type { ContrastResult, MeasureOptions, Sample } from "./definition.ts";
import { numberedGroups, preparePair, prepareSample, type ScoreDemand } from "./sample.ts";
import { onRangeScale, unevenInterval, widestOverClusters } from "./uneven-interval.ts";
import { type Units, unitsOf } from "./unit-spread.ts";
import { unvariedInterval } from "./unvaried-interval.ts";

/** One model's part of a metric that is a function of column sums. */
export type SumParts = {
  /** Unweighted cells, row-major, n × width; empty where they are given sparsely. */
  cells: Float64Array;
  /** The same where few of a row's cells are not 0, as with many classes. */
  sparse?: SparseRows;
  width: number;
  /** The metric from sums[offset … offset + width - 1] and the total weight; NaN where undefined. */
  value(sums: Float64Array, offset: number, total: number): number;
  /** The reason to give when the value is NaN. */
  whyUndefined: string;
  /** Whether value = sums[offset] / total. */
  linear: boolean;
  /** Number of independent rows that carry the metric, for samples that show no variation. */
  trials: number;
  /** For unbounded metrics: the largest change that one row could make, judging by the rows seen. */
  largest: number;
};

export type SumMetric = {
  demand: ScoreDemand;
  range: readonly [number, number];
  /** Whether the metric rests on the rows of each class rather than on all rows alike. */
  byClass: boolean;
  /** Over clusters and weights, what the skewness is multiplied by (see `lengthenForSkew`); default: as for means. */
  skewFactor?: number;
  /**
   * Whether few rows carry the variance of a difference, so that over plain rows no end is nearer than t with the
   * degrees of freedom that their fourth moments leave.
   */
  carriedByFew?: boolean;
  /**
   * Whether differences of clusters have heavy tails, so that the interval over them is `heavyTailedInterval`: always, or
   * where the rows are forecasts, whose clusters are series.
   */
  heavyTails?: "always" | "of forecasts";
  /** The parts, or why there are none. */
  prepare(sample: Sample, options: MeasureOptions): SumParts | string;
};

/** Value and interval of one sample. */
export function measureSums(metric: SumMetric, sample: Sample, options: MeasureOptions): MetricResult {
  const n = sample.labels.length;
  const parts = prepareSample(metric, sample, options);
  if (typeof parts === "string") return { status: "undefined", reason: parts, n };
  const statistic = assemble(sample, [parts], (sums, total) => parts.value(sums, 0, total));
  const value = statistic.value(columnSums(statistic), unitCount(statistic));
  if (!Number.isFinite(value)) return { status: "undefined", reason: parts.whyUndefined, n };
  if (options.intervals === false) return { status: "ok", value, interval: null, n };
  const units = unitsOf(sample, metric.byClass);
  const found = sumInterval(statistic, units, value, options, largestCell(parts), metric, true);
  const interval =
    found === "constant"
      ? unvariedInterval(
          value,
          metric.range,
          Math.min(parts.trials, independentUnits(statistic, units)),
          options.level,
          parts.largest,
        )
      : found;
  if (interval === "undefined" || interval === null) return { status: "ok", value, interval: null, n };
  const scaled =
    units === null || found === "constant" ? interval : { ...interval, ...onRangeScale(interval, value, metric.range) };
  return { status: "ok", value, interval: clip(scaled, metric.range), n };
}

/**
 * The paired comparison. For a linear metric, the absolute difference is resampled as one column of row differences.
 */
export function contrastSums(
  metric: SumMetric,
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
  const pair = assemble(candidate, [one, two], (sums, total) => {
    const a = one.value(sums, 0, total);
    const b = two.value(sums, one.width, total);
    return relative ? a / b - 1 : a - b;
  });
  const sums = columnSums(pair);
  const total = totalWeight(candidate);
  const first = one.value(sums, 0, total);
  const second = two.value(sums, one.width, total);
  if (!Number.isFinite(first)) return wrong(one.whyUndefined);
  if (!Number.isFinite(second)) return wrong(`baseline: ${two.whyUndefined}`);
  if (relative && !(second > 0)) return wrong(`the baseline's value is ${second}: there is no relative change`);
  const difference = relative ? first / second - 1 : first - second;
  const statistic = one.linear && !relative ? differenceOfRows(candidate, one, two) : pair;
  const size = Math.max(largestCell(one), largestCell(two));
  const units = unitsOf(candidate, metric.byClass);
  let interval = sameCells(one, two)
    ? ("constant" as const)
    : sumInterval(statistic, units, difference, options, size, metric, false, hasHeavyTails(metric, candidate));
  if (interval === "undefined") return wrong("the metric is undefined in too many resamples: too few rows");
  if (interval === "constant") {
    const unit = relative ? second : 1;
    const reach = (metric.range[1] - metric.range[0]) / unit;
    const trials = Math.min(one.trials, two.trials, independentUnits(pair, units));
    const largest = Math.max(one.largest, two.largest) / unit;
    const bound = unvariedInterval(difference, [-reach, reach], trials, options.level, largest);
    if (bound === null) return wrong("nothing varies and no row shows what an error would cost: there is no interval");
    interval = bound;
  }
  return { status: "ok", candidate: first, baseline: second, difference, interval, n };
}

/** Weighted cells of the parts side by side, plus a column of weights when their total varies between resamples. */
function assemble(
  sample: Sample,
  parts: SumParts[],
  value: (sums: Float64Array, total: number) => number,
): SumStatistic {
  const { weights } = sample;
  const n = sample.labels.length;
  const groups = numberedGroups(sample.groups);
  const withTotal = weights !== null || groups !== null;
  const width = parts.reduce((sum, part) => sum + part.width, withTotal ? 1 : 0);
  const only = parts[0] as SumParts;
  const last = width - 1;
  if (only.sparse !== undefined) {
    const sparse = weightedSparse(parts, weights, withTotal);
    const statistic: SumStatistic = {
      cells: only.cells,
      sparse,
      width,
      value: withTotal ? (sums) => value(sums, sums[last] as number) : value,
    };
    return groups === null ? statistic : collapseGroups(statistic, groups.ids, groups.count);
  }
  if (parts.length === 1 && !withTotal) return { cells: only.cells, width, value };
  const cells = new Float64Array(n * width);
  for (let i = 0; i < n; i++) {
    const w = weights === null ? 1 : (weights[i] as number);
    let to = i * width;
    for (const part of parts)
      for (let k = 0; k < part.width; k++) cells[to++] = w * (part.cells[i * part.width + k] as number);
    if (withTotal) cells[to] = w;
  }
  const statistic: SumStatistic = {
    cells,
    width,
    value: withTotal ? (sums) => value(sums, sums[last] as number) : value,
  };
  return groups === null ? statistic : collapseGroups(statistic, groups.ids, groups.count);
}

/** The parts side by side, weighted, with the weights as the last column where their total varies. */
function weightedSparse(parts: SumParts[], weights: Float64Array | null, withTotal: boolean): SparseRows {
  const tables = parts.map(({ sparse, width }) => ({ sparse: sparse as SparseRows, width }));
  const { rows } = (tables[0] as { sparse: SparseRows }).sparse;
  const ones = { rows, perRow: 1, columns: new Int32Array(rows), values: new Float64Array(rows).fill(1) };
  const all = sideBySide(withTotal ? [...tables, { sparse: ones, width: 1 }] : tables);
  if (weights !== null)
    for (let at = 0; at < all.values.length; at++)
      all.values[at] = (all.values[at] as number) * (weights[Math.floor(at / all.perRow)] as number);
  return all;
}

function sameCells(one: SumParts, two: SumParts): boolean {
  const [mine, others] = [one.sparse, two.sparse];
  if (mine === undefined || others === undefined) return one.cells.every((cell, i) => cell === two.cells[i]);
  return (
    one.width === two.width &&
    mine.columns.every((column, i) => column === others.columns[i]) &&
    mine.values.every((value, i) => value === others.values[i])
  );
}

function differenceOfRows(sample: Sample, one: SumParts, two: SumParts): SumStatistic {
  const cells = one.cells.map((cell, i) => cell - (two.cells[i] as number));
  return assemble(sample, [{ ...one, cells }], (sums, total) => (sums[0] as number) / total);
}

function totalWeight({ labels, weights }: Sample): number {
  return weights === null ? labels.length : weights.reduce((sum, w) => sum + w, 0);
}

function hasHeavyTails({ heavyTails }: SumMetric, { forecasts }: Sample): boolean {
  return heavyTails === "always" || (heavyTails === "of forecasts" && forecasts !== undefined);
}

/** The number of units, or of equal ones that would weigh as evenly. */
function independentUnits(statistic: SumStatistic, units: Units | null): number {
  return units === null ? unitCount(statistic) : effectiveUnits(units.shares);
}

/**
 * Up to what width the interval of a difference over clusters may be lengthened (see `widestOverClusters`).
 *
 * @param pair both samples, of which the metric is defined
 */
export function widestDifference(metric: SumMetric, pair: [Sample, Sample], options: MeasureOptions): number {
  const prepared = preparePair(metric, ...pair, options);
  if (typeof prepared === "string") return 0;
  return widestOverClusters(leaveOneOut(differenceOfRows(pair[0], ...prepared)), options.level);
}

/**
 * BCa bootstrap, or ABC for large samples, lengthened where the rows are skewed or few carry the variance; for clusters
 * and uneven weights a jackknife with t. "constant": nothing varies. "undefined": too many resamples have no value.
 * `size` is the largest cell.
 *
 * @param ofValue whether the estimate is one model's value rather than a difference
 * @param heavyTails whether the differences of clusters have heavy tails
 */
function sumInterval(
  statistic: SumStatistic,
  units: Units | null,
  estimate: number,
  options: MeasureOptions,
  size: number,
  { skewFactor, carriedByFew }: SumMetric,
  ofValue: boolean,
  heavyTails = false,
): Interval | "constant" | "undefined" {
  const count = unitCount(statistic);
  if (count < 2 || constantRows(statistic, size)) return "constant";
  const { level } = options;
  const few = carriedByFew === true && !ofValue && options.resamples === undefined;
  const lengthened = (ends: Ends, standardError: number, df: number, skew: number, method: string): Interval => {
    const skewed = isSkewed(skew, 1 / count);
    if (!skewed && !few) return { low: ends.low, high: ends.high, level, method };
    const seen = { estimate, standardError, df: few ? df : count - 1, skew: skewed ? skew : 0 };
    return {
      ...lengthenForSkew(ends, seen, level),
      level,
      method: skewed ? `${method}, lengthened for skewness` : `${method}, at least t`,
    };
  };
  if (options.resamples === undefined && units === null && count > largeSample) {
    const found = abc(statistic, level);
    return found === null
      ? "constant"
      : Number.isFinite(found.low) && Number.isFinite(found.high)
        ? lengthened(found, found.standardError, found.df, found.acceleration, "ABC")
        : "undefined";
  }
  const leftOut = leaveOneOut(statistic);
  const first = leftOut[0] as number;
  if (leftOut.every((value) => Math.abs(value - first) <= 1e-14 * Math.abs(first))) return "constant";
  if (options.resamples === undefined && units !== null)
    return unevenInterval(leftOut, units, estimate, level, { factor: skewFactor, ofValue, heavyTails });
  const resamples = options.resamples ?? defaultResamples;
  const skew = acceleration(leftOut);
  const ends = bca(bootstrapReplicates(statistic, options.seed, resamples), estimate, skew, level);
  return ends === null
    ? "undefined"
    : lengthened(
        ends,
        jackknifeError(leftOut),
        effectiveDegrees(leftOut, mean(leftOut)),
        skew,
        `BCa bootstrap, ${resamples} resamples`,
      );
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Whether all units are the same, apart from rounding. */
function constantRows({ cells, width, sparse }: SumStatistic, size: number): boolean {
  if (sparse !== undefined) return sparseRowsAlike(sparse);
  for (let i = width; i < cells.length; i++)
    if (Math.abs((cells[i] as number) - (cells[i % width] as number)) > 1e-12 * size) return false;
  return true;
}

function largestCell({ cells, sparse }: SumParts): number {
  let largest = 0;
  for (const cell of sparse?.values ?? cells) largest = Math.max(largest, Math.abs(cell));
  return largest;
}

function clip(interval: Interval, [lowest, highest]: readonly [number, number]): Interval {
  return { ...interval, low: Math.max(lowest, interval.low), high: Math.min(highest, interval.high) };
}
