import { augmentationColumn } from "../../models/core/manifest/augmentations.ts";
import { metricsFor, type MetricDefinition, type Sample } from "./catalog.ts";
import { readOptions, unitUnder } from "./definition.ts";
import { classColumn, type MetricName } from "../../models/core/manifest/gates.ts";
import { metricOptionsOf, type MetricOptions } from "../../models/core/manifest/metric-options.ts";
import type { Answers, Predictions } from "../predictions/predictions.ts";
import { answerCount, rowCount } from "../predictions/row-count.ts";
import type { Measurement, MetricResult } from "../schema/metrics.ts";
import { rowsByValue } from "./rows.ts";
import { selectRows } from "../predictions/select-rows.ts";
import { rankingsOf, withRelevant } from "./user-hits.ts";

const slicesKnown = new WeakMap<object, ReadonlyMap<string, Int32Array>>();

/**
 * Rows of each slice, by position; "all" and every COLUMN=VALUE, in order of first appearance. Computed once for the
 * same predictions.
 */
export function slicesOf(
  predictions: Pick<Predictions, "labels" | "slices" | "answers">,
): ReadonlyMap<string, Int32Array> {
  const known = slicesKnown.get(predictions.slices);
  if (known !== undefined) return known;
  const slices = new Map([["all", firstNumbers(rowCount(predictions))]]);
  for (const [column, values] of Object.entries(predictions.slices))
    for (const [value, rows] of rowsByValue(values)) slices.set(`${column}=${value}`, rows);
  slicesKnown.set(predictions.slices, slices);
  return slices;
}

function firstNumbers(count: number): Int32Array {
  const numbers = new Int32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = i;
  return numbers;
}

/** Names of all slices that predictions have: "all" and every COLUMN=VALUE, and last those of altered copies. */
function sliceNames({ copies, ...predictions }: Predictions): string[] {
  const altered = copies === undefined ? [] : [...slicesOf(copies).keys()].filter(isOfCopies);
  return [...slicesOf(predictions).keys(), ...altered];
}

const isOfCopies = (slice: string) => slice.startsWith(`${augmentationColumn}=`);

/**
 * The rows of a slice, the altered copies where it is one of those, or the rows of a class for `label=CLASS`; null where
 * there are none.
 */
export function sliceSample(predictions: Predictions, slice: string): Sample | null {
  if (slice.startsWith(`${classColumn}=`)) return classSample(predictions, slice.slice(classColumn.length + 1));
  const of = isOfCopies(slice) ? predictions.copies : predictions;
  const rows = of === undefined ? undefined : slicesOf(of).get(slice);
  return of === undefined || rows === undefined || rows.length === 0 ? null : sampleOf(of, rows);
}

function classSample(predictions: Predictions, name: string): Sample | null {
  const { classes, labels } = predictions;
  const wanted = classes.indexOf(name);
  const rows = firstNumbers(labels.length).filter((row) => labels[row] === wanted);
  return wanted === -1 || rows.length === 0 ? null : { ...sampleOf(predictions, rows), ofOneClass: true };
}

/** The rows of one slice in the form that metrics take. The arrays of a slice of all rows are those of `predictions`. */
export function sampleOf(predictions: Predictions, rows: Int32Array): Sample {
  const { labels, scores, classes, weights, groups, entities, naiveScales, forecasts, answers, threshold } =
    predictions;
  if (answers !== undefined) return selectRows(wholeOfAnswers(answers, weights, groups), rows);
  const sample: Sample = {
    labels,
    scores,
    classCount: classes.length,
    weights,
    groups,
    ...(entities === undefined ? {} : { entities }),
    ...(naiveScales === undefined ? {} : { naiveScales }),
    ...(forecasts === undefined ? {} : { forecasts }),
    ...(threshold === undefined ? {} : { threshold }),
  };
  return isEverything(rows, labels.length) ? sample : selectRows(sample, rows);
}

function wholeOfAnswers(answers: Answers, weights: Sample["weights"], groups: Sample["groups"]): Sample {
  const rows = firstNumbers(answerCount(answers));
  const zeros = new Float64Array(rows.length);
  return { labels: zeros, scores: zeros, classCount: 0, weights, groups, answerRows: { of: answers, rows } };
}

function isEverything(rows: Int32Array, count: number): boolean {
  if (rows.length !== count) return false;
  for (let i = 0; i < count; i++) if (rows[i] !== i) return false;
  return true;
}

/**
 * Smallest number of rows of any class (classification), or the number of rows (everything else, and a single class). Small-sample rules
 * use it.
 */
export function supportOf(sample: Sample): { rows: number; fewest: number; words: string } {
  const rows = sample.labels.length;
  if (rankingsOf(sample) !== null) {
    const users = withRelevant(sample).labels.length;
    return { rows, fewest: users, words: `${users} users with a relevant item` };
  }
  if (sample.classCount === 0 || sample.ofOneClass === true) return { rows, fewest: rows, words: `${rows} rows` };
  const perClass = new Uint32Array(sample.classCount);
  for (let i = 0; i < rows; i++) {
    const label = sample.labels[i] as number;
    if (label >= 0 && label < sample.classCount) perClass[label] = (perClass[label] as number) + 1;
  }
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
  /** "all" and every COLUMN=VALUE, in order of first appearance; last those of altered copies. */
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
  const samples = new Map<string, Sample | null>();
  const figures = new Map<string, Map<number | null, MetricResult>>();
  const sample = (slice: string): Sample | null => {
    const known = samples.get(slice);
    if (known !== undefined) return known;
    const found = sliceSample(predictions, slice);
    samples.set(slice, found);
    return found;
  };
  return {
    predictions,
    seed,
    slices: sliceNames(predictions),
    sample,
    figure(metric, slice, options, level) {
      const key = JSON.stringify([metric.name, slice, metricOptionsOf(options)]);
      const known = figures.get(key) ?? new Map<number | null, MetricResult>();
      figures.set(key, known);
      // A value is the same whatever interval was computed with it.
      const found = level === null ? known.values().next().value : known.get(level);
      if (found !== undefined) return found;
      const of = sample(slice) ?? sampleOf(predictions, new Int32Array(0));
      const result = finiteInterval(
        metric.measure(of, { ...options, level: level ?? 0.9, seed, intervals: level !== null }),
      );
      known.set(level, result);
      return result;
    },
  };
}

/** A single cluster, say, leaves no variance to estimate, and no interval. */
function finiteInterval(result: MetricResult): MetricResult {
  if (result.status !== "ok" || result.interval === null) return result;
  const { low, high } = result.interval;
  return Number.isFinite(low) && Number.isFinite(high) ? result : { ...result, interval: null };
}

export type MeasureRequest = {
  /** Two-sided coverage of the intervals. */
  level: number;
  /** Unit of a regression's labels, e.g. EUR, in which metrics with the unit "label" are shown. Default: none. */
  labelUnit?: string;
  /** Only these metrics, with their options. Default: every metric of the task, with its default options. */
  only?: readonly (MetricOptions & { metric: MetricName })[];
  /** Without `only`: options for every metric that reads them. */
  options?: MetricOptions;
};

/**
 * Every metric of the predictions' task for which they hold enough, over all rows and over each slice.
 * @param head its name in the measurements; null when there is only one head
 */
export function measure(
  measurer: Measurer,
  head: string | null,
  { level, labelUnit = "", only, options: given = {} }: MeasureRequest,
): Measurement[] {
  const ofTask = metricsFor(measurer.predictions.task);
  const asked =
    only === undefined
      ? ofTask.map((definition) => ({ definition, options: readOptions(definition, given) }))
      : distinct(
          only.flatMap((one) =>
            ofTask
              .filter((definition) => definition.name === one.metric)
              .map((definition) => ({ definition, options: metricOptionsOf(one) })),
          ),
        );
  const listed = measurer.slices.map((slice) => {
    const sample = measurer.sample(slice) ?? sampleOf(measurer.predictions, new Int32Array(0));
    return {
      slice,
      rows: sample.labels.length,
      asked: asked
        .filter(({ definition }) => definition.listed?.(sample) ?? true)
        .flatMap(({ definition, options }) => [
          { definition, options },
          ...(only === undefined ? (definition.variants?.(sample) ?? []) : []).map((more) => ({
            definition,
            options: { ...options, ...more },
          })),
        ]),
    };
  });
  // Slices of one size share their bootstrap draws, of which only the last few sizes are kept.
  for (const { slice, asked: wanted } of listed.toSorted((one, other) => one.rows - other.rows))
    for (const { definition, options } of wanted) measurer.figure(definition, slice, options, level);
  return listed.flatMap(({ slice, asked: wanted }) =>
    wanted.map(({ definition, options }): Measurement => ({
      metric: definition.name,
      options,
      ...signatureOf(definition, measurer, slice, options),
      head,
      slice,
      unit: unitUnder(definition, options, labelUnit),
      direction: definition.direction,
      result: measurer.figure(definition, slice, options, level),
    })),
  );
}

function signatureOf(
  definition: MetricDefinition,
  measurer: Measurer,
  slice: string,
  options: MetricOptions,
): { signature?: string } {
  const sample = measurer.sample(slice);
  return definition.signature === undefined || sample === null
    ? {}
    : { signature: definition.signature(sample, options) };
}

function distinct<Asked extends { definition: MetricDefinition; options: MetricOptions }>(asked: Asked[]): Asked[] {
  return [...new Map(asked.map((one) => [JSON.stringify([one.definition.name, one.options]), one])).values()];
}
