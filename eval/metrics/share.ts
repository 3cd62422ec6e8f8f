import type { MetricResult } from "../schema/metrics.ts";
import { tango } from "../stats/tango.ts";
import { wilson } from "../stats/wilson.ts";
import type { ContrastResult, MeasureOptions, Sample } from "./definition.ts";
import { contrastSums, measureSums, type SumMetric } from "./sum-metric.ts";
import { preparePair } from "./sample.ts";

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
    return contrastSums(metric, candidate, baseline, options);
  const n = candidate.labels.length;
  const prepared = preparePair(metric, candidate, baseline, options);
  if (typeof prepared === "string") return { status: "undefined", reason: prepared, n };
  const [one, two] = prepared;
  const counts = { both: 0, first: 0, second: 0, neither: 0 };
  for (let i = 0; i < n; i++) {
    if (one.cells[i] === 1) counts[two.cells[i] === 1 ? "both" : "first"]++;
    else counts[two.cells[i] === 1 ? "second" : "neither"]++;
  }
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
  };
}
