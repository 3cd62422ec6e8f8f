import type { CheckKind, MetricName } from "../../models/core/manifest/gates.ts";
import type { Task } from "../../models/core/manifest/manifest.ts";
import { metricOptionsOf, type MetricOptions } from "../../models/core/manifest/metric-options.ts";
import type { Answers, Forecasts } from "../predictions/predictions.ts";
import type { MetricResult } from "../schema/metrics.ts";
import type { Interval } from "../schema/verdict.ts";

/**
 * What a metric reads. Every array has n entries; `scores` has n × classCount for more than two classes. Labels and
 * scores mean what they mean in `Predictions`; a slice is a Sample of its rows.
 */
export type Sample = {
  labels: Float64Array;
  scores: Float64Array;
  /** 2 binary, k multiclass, 0 regression. */
  classCount: number;
  weights: Float64Array | null;
  /** Cluster of each row. With clusters, intervals treat clusters, not rows, as independent. */
  groups: string[] | null;
  /** Binary: whom each row's alert would be about; absent when it is not declared. */
  entities?: string[];
  /**
   * Error of the naive forecast on the training data of each row's series, for MASE; absent when it is not declared.
   */
  naiveScales?: Float64Array;
  /** Rankings, spans or texts. Labels and scores are then zeros, one per row. */
  answerRows?: AnswerRows;
  /** Where the rows stand in their series, and quantiles; absent unless the predictions name series and steps. */
  forecasts?: Forecasts;
  /** Binary: the score from which on the model itself answers class 1, where its manifest declares one. */
  threshold?: number;
  /** Set for the rows of a single class, of which no more than one is to be expected. */
  ofOneClass?: true;
};

/**
 * Rows of some answers, by position. `of` is shared by every slice of the same predictions, so that what a metric needs
 * of each row is computed once.
 */
export type AnswerRows<Kind extends Answers = Answers> = { of: Kind; rows: Int32Array };

export type MeasureOptions = MetricOptions & {
  /** Two-sided coverage of the intervals; 1 - 2·alpha for one-sided decisions at alpha. */
  level: number;
  seed: number;
  /** Number of bootstrap resamples, which are then always drawn; default: see `eval/stats/resamples.ts`. */
  resamples?: number;
  /** false: values only, which is much cheaper. */
  intervals?: boolean;
  /** For a contrast: candidate - baseline, or candidate / baseline - 1. */
  scale?: "absolute" | "relative";
};

/** Of a share of independent, equally weighted rows: how many rows count for one model alone. */
type Discordant = { candidateOnly: number; baselineOnly: number };

export type ContrastResult =
  | {
      status: "ok";
      candidate: number;
      baseline: number;
      difference: number;
      interval: Interval;
      n: number;
      discordant?: Discordant;
    }
  | { status: "undefined"; reason: string; n: number };

export type MetricDefinition = {
  name: MetricName;
  tasks: readonly Task[];
  /** Which way is better. */
  direction: "higher" | "lower";
  /** The rules that may decide on the metric, where not all of them make sense, and why the others do not. */
  rules?: { kinds: readonly CheckKind[]; why: string };
  /** Whether rows of a single class say something by it. */
  ofOneClass?: true;
  /** Whether neither way is better, but closeness to a nominal value. Reports then show no arrow. */
  closeness?: true;
  unit: string;
  /** Smallest and largest possible value. */
  range: readonly [number, number];
  /** Values of the options that this metric reads, when they are not given. */
  defaultOptions: MetricOptions;
  /** Options that this metric reads and that have no default. */
  furtherOptions?: readonly (keyof MetricOptions)[];
  /**
   * Whether a sample has what the metric needs besides labels and scores. If not, reports do not list the metric, and
   * only a check that asks for it gets the reason. Default: always.
   */
  listed?(sample: Sample): boolean;
  /** Options under which reports list the metric of a sample besides its defaults, such as one per type of entity. */
  variants?(sample: Sample): MetricOptions[];
  /** Every option that a figure depends on, with defaults and the versions of rules: `nrefs:1|case:mixed|…`. */
  signature?(sample: Sample, options: MetricOptions): string;
  /** The metric of one sample with its interval. Undefined with a reason, never 0 or NaN instead of an answer. */
  measure(sample: Sample, options: MeasureOptions): MetricResult;
  /**
   * Candidate against baseline on the same rows in the same order. It is paired, so what is hard for both cancels out.
   */
  contrast(candidate: Sample, baseline: Sample, options: MeasureOptions): ContrastResult;
};

export const classificationTasks = [
  "binary-classification",
  "multiclass-classification",
] as const satisfies readonly Task[];
export const regressionTasks = ["regression", "forecasting"] as const satisfies readonly Task[];

/** The unit of a figure under its options; `label` is that of the true values. */
export function unitUnder(
  { unit }: Pick<MetricDefinition, "unit">,
  { scaled = false }: MetricOptions,
  label: string,
): string {
  return unit !== "label" ? unit : scaled ? "" : label;
}

/** The options that a metric reads, of those that are given. */
export function readOptions(
  { defaultOptions, furtherOptions = [] }: Pick<MetricDefinition, "defaultOptions" | "furtherOptions">,
  given: MetricOptions,
): MetricOptions {
  return Object.fromEntries(
    Object.entries(metricOptionsOf(given)).filter(
      ([key]) => Object.hasOwn(defaultOptions, key) || furtherOptions.some((one) => one === key),
    ),
  );
}

/** Tasks whose answers are texts that are compared with references. */
export const transcriptTasks = ["speech-to-text", "text-generation"] as const satisfies readonly Task[];
export const translationTasks = ["translation", "text-generation"] as const satisfies readonly Task[];
