import type { MetricResult } from "../schema/metrics.ts";
import { type PairedCounts, tango, tangoAt } from "../stats/tango.ts";
import { wilson } from "../stats/wilson.ts";
import type { ContrastResult, MeasureOptions, Sample } from "./definition.ts";
import { contrastSums, measureSums, type SumMetric, widestDifference } from "./sum-metric.ts";
import { preparePair } from "./sample.ts";
import { largestFactor, lengthenTo } from "./uneven-interval.ts";
import { unitsOf } from "./unit-spread.ts";

/**
 * Whether the closed forms for independent, equally weighted rows apply. A given number of resamples asks for the
 * bootstrap instead.
 */
function closedForm(sample: Sample, options: MeasureOptions): boolean {
  return (
    sample.weights === null && sample.groups === null && options.resamples === undefined && options.intervals !== false
  );
}

/**
 * A share of rows: a linear `SumMetric` whose cells are 0 and 1. Without weights and clusters its intervals have closed
 * forms (Wilson; Tango for the paired difference). Otherwise they come from the sums like those of any other mean.
 */
export function measureShare(metric: SumMetric, sample: Sample, options: MeasureOptions): MetricResult {
  const result = measureSums(metric, sample, closedForm(sample, options) ? { ...options, intervals: false } : options);
  if (result.status === "undefined" || !closedForm(sample, options)) return result;
  return {
    ...result,
    interval: {
      ...wilson(Math.round(result.value * result.n), result.n, options.level),
      level: options.level,
      method: "Wilson",
    },
  };
}

/**
 * A share of the rows that `counts` picks, whose value `metric` computes over all rows. Where closed forms apply, the
 * interval is Wilson's over the picked rows.
 */
export function measureShareOf(
  metric: SumMetric,
  sample: Sample,
  options: MeasureOptions,
  counts: (row: number) => boolean,
): MetricResult {
  const result = measureSums(metric, sample, closedForm(sample, options) ? { ...options, intervals: false } : options);
  if (result.status === "undefined") return result;
  let n = 0;
  for (let i = 0; i < sample.labels.length; i++) if (counts(i)) n++;
  if (!closedForm(sample, options)) return { ...result, n };
  return {
    ...result,
    n,
    interval: { ...wilson(Math.round(result.value * n), n, options.level), level: options.level, method: "Wilson" },
  };
}

/** The paired comparison of two shares. */
export function contrastShare(
  metric: SumMetric,
  candidate: Sample,
  baseline: Sample,
  options: MeasureOptions,
): ContrastResult {
  if (!closedForm(candidate, options) || options.scale === "relative")
    return withScore(contrastSums(metric, candidate, baseline, options), metric, candidate, baseline, options);
  const n = candidate.labels.length;
  const prepared = preparePair(metric, candidate, baseline, options);
  if (typeof prepared === "string") return { status: "undefined", reason: prepared, n };
  const [one, two] = prepared;
  const counts = pairedCounts(one.cells, two.cells, null);
  const first = (counts.both + counts.first) / n;
  const second = (counts.both + counts.second) / n;
  const interval = { ...tango(counts, options.level), level: options.level, method: "Tango score" };
  return {
    status: "ok",
    candidate: first,
    baseline: second,
    difference: (counts.first - counts.second) / n,
    interval,
    n,
    discordant: { candidateOnly: counts.first, baselineOnly: counts.second },
  };
}

/** Rows by who is right; with weights, shares of the weight times the number of rows. */
function pairedCounts(one: Float64Array, two: Float64Array, weights: Float64Array | null): PairedCounts {
  const counts = { both: 0, first: 0, second: 0, neither: 0 };
  const scale = weights === null ? 1 : weights.length / weights.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < one.length; i++) {
    const weight = weights === null ? 1 : scale * (weights[i] as number);
    if (one[i] === 1) counts[two[i] === 1 ? "both" : "first"] += weight;
    else counts[two[i] === 1 ? "second" : "neither"] += weight;
  }
  return counts;
}

/**
 * The interval over clusters or weighted rows, no end of which is nearer than that of Tango's score with the same
 * standard error. Few discordant rows vary less than they would at the margin, which t cannot know: with 8 clusters, 150
 * rows and a margin of 5 points it lets 8 % through.
 */
function withScore(
  result: ContrastResult,
  metric: SumMetric,
  candidate: Sample,
  baseline: Sample,
  options: MeasureOptions,
): ContrastResult {
  const prepared = preparePair(metric, candidate, baseline, options);
  if (
    result.status !== "ok" ||
    options.scale === "relative" ||
    options.resamples !== undefined ||
    typeof prepared === "string" ||
    unitsOf(candidate, metric.byClass) === null
  )
    return result;
  const counts = pairedCounts(prepared[0].cells, prepared[1].cells, candidate.weights);
  const { difference, interval, n } = result;
  const rowVariance = ((counts.first + counts.second) / n - difference ** 2) / n;
  if (!(rowVariance > 0)) return result;
  const half = Math.min(interval.high - difference, difference - interval.low);
  const wanted = tangoAt(counts, half / Math.sqrt(rowVariance));
  const widest =
    candidate.groups === null ? 2 * largestFactor * half : widestDifference(metric, [candidate, baseline], options);
  return { ...result, interval: { ...interval, ...lengthenTo(interval, wanted, widest) } };
}
