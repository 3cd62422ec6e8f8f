import { metricsFor, type MetricDefinition, type Sample } from "./catalog.ts";
import type { Predictions } from "../predictions/predictions.ts";
import type { Measurement, MetricOptions, MetricResult } from "../schema/metrics.ts";
import { rowsByValue, selectRows } from "./rows.ts";

/** Rows of each slice, by position; "all" and every COLUMN=VALUE, in order of first appearance. */
export function slicesOf(predictions: Pick<Predictions, "ids" | "slices">): Map<string, Int32Array> {
  const slices = new Map([["all", Int32Array.from(predictions.ids.keys())]]);
  for (const [column, values] of Object.entries(predictions.slices))
    for (const [value, rows] of rowsByValue(values)) slices.set(`${column}=${value}`, Int32Array.from(rows));
  return slices;
}

/** The rows of one slice in the form that metrics take. */
export function sampleOf(predictions: Predictions, rows: Int32Array): Sample {
  const { labels, scores, classes, weights, groups, naiveScales } = predictions;
  const all: Sample = { labels, scores, classCount: classes.length, weights, groups };
  return selectRows(naiveScales === undefined ? all : { ...all, naiveScales }, rows);
}

/**
 * Smallest number of rows of any class (classification), or the number of rows (everything else). Small-sample rules
 * use it.
 */
export function supportOf(sample: Sample): { rows: number; fewest: number; words: string } {
  const rows = sample.labels.length;
  if (sample.classCount === 0) return { rows, fewest: rows, words: `${rows} rows` };
  const perClass = new Array<number>(sample.classCount).fill(0);
  for (const label of sample.labels)
    if (label >= 0 && label < sample.classCount) perClass[label] = (perClass[label] as number) + 1;
  const words =
    sample.classCount === 2
      ? `${perClass[1]} positives and ${perClass[0]} negatives`
      : `${rows} rows, ${Math.min(...perClass)} in the rarest class`;
  return { rows, fewest: Math.min(...perClass), words };
}

/** One head's predictions with their slices and figures. Each is computed once, however often it is asked for. */
export type Measurer = {
  predictions: Predictions;
  /** Seed of every resampled interval. */
  seed: number;
  /** "all" and every COLUMN=VALUE, in order of first appearance. */
  slices: readonly string[];
  /** The rows of a slice; null when it has none. */
  sample(slice: string): Sample | null;
  /**
   * A metric of a slice that has rows.
   * @param level two-sided coverage of the interval; null when only the value is wanted
   */
  figure(metric: MetricDefinition, slice: string, options: MetricOptions, level: number | null): MetricResult;
};

export function measurerOf(predictions: Predictions, seed: number): Measurer {
  const rows = slicesOf(predictions);
  const samples = new Map<string, Sample>();
  const figures = new Map<string, Map<number | null, MetricResult>>();
  const sample = (slice: string): Sample | null => {
    const members = rows.get(slice);
    if (members === undefined || members.length === 0) return null;
    const known = samples.get(slice) ?? sampleOf(predictions, members);
    samples.set(slice, known);
    return known;
  };
  return {
    predictions,
    seed,
    slices: [...rows.keys()],
    sample,
    figure(metric, slice, options, level) {
      const key = JSON.stringify([metric.name, slice, options.threshold, options.at, options.k]);
      const known = figures.get(key) ?? new Map<number | null, MetricResult>();
      figures.set(key, known);
      // A value is the same whatever interval was computed with it.
      const found = level === null ? known.values().next().value : known.get(level);
      if (found !== undefined) return found;
      const of = sample(slice) ?? sampleOf(predictions, new Int32Array(0));
      const result = metric.measure(of, { ...options, level: level ?? 0.9, seed, intervals: level !== null });
      known.set(level, result);
      return result;
    },
  };
}

export type MeasureRequest = {
  /** Two-sided coverage of the intervals. */
  level: number;
  /** Unit of a regression's labels, e.g. EUR, in which metrics with the unit "label" are shown. Default: none. */
  labelUnit?: string;
};

/**
 * Every metric of the predictions' task for which they hold enough, over all rows and over each slice.
 * @param head its name in the measurements; null when there is only one head
 */
export function measure(
  measurer: Measurer,
  head: string | null,
  { level, labelUnit = "" }: MeasureRequest,
): Measurement[] {
  return measurer.slices.flatMap((slice) => {
    const sample = measurer.sample(slice) ?? sampleOf(measurer.predictions, new Int32Array(0));
    return metricsFor(measurer.predictions.task)
      .filter((definition) => definition.listed?.(sample) ?? true)
      .map((definition): Measurement => ({
        metric: definition.name,
        options: {},
        head,
        slice,
        unit: definition.unit === "label" ? labelUnit : definition.unit,
        direction: definition.direction,
        result: measurer.figure(definition, slice, {}, level),
      }));
  });
}
