import type { MetricName } from "../../models/core/manifest/gates.ts";
import type { Task } from "../../models/core/manifest/manifest.ts";
import type { MetricOptions, MetricResult } from "../schema/metrics.ts";
import type { Interval } from "../schema/verdict.ts";

/**
 * What a metric reads. Every array has n entries, `scores` n × classCount for more than two classes.
 * Labels and scores mean what they mean in `Predictions`; a slice is a Sample of its rows.
 */
export type Sample = {
  labels: Float64Array;
  scores: Float64Array;
  /** 2 binary, k multiclass, 0 regression. */
  classCount: number;
  weights: Float64Array | null;
  /** Cluster of each row: intervals then treat clusters, not rows, as independent. */
  groups: string[] | null;
  /**
   * Error of the naive forecast on the training data of each row's series, for MASE; absent where nobody declared it.
   */
  naiveScales?: Float64Array;
};

export type MeasureOptions = MetricOptions & {
  /** Two-sided coverage of the intervals; 1 - 2·alpha for one-sided decisions at alpha. */
  level: number;
  seed: number;
  /** Bootstrap resamples, always carried out; default: as `eval/stats/resamples.ts` says. */
  resamples?: number;
  /** false: values only, which is much cheaper. */
  intervals?: boolean;
  /** Of a contrast: candidate - baseline, or candidate / baseline - 1. */
  scale?: "absolute" | "relative";
};

export type ContrastResult =
  | { status: "ok"; candidate: number; baseline: number; difference: number; interval: Interval; n: number }
  | { status: "undefined"; reason: string; n: number };

export type MetricDefinition = {
  name: MetricName;
  tasks: readonly Task[];
  /** Which way is better. */
  direction: "higher" | "lower";
  unit: string;
  /** Smallest and largest possible value. */
  range: readonly [number, number];
  /** What an option means when it is not given; only those that the metric reads. */
  defaultOptions: MetricOptions;
  /**
   * Whether the metric is listed for this sample. False where the sample lacks what the metric needs beyond labels and
   * scores; a check that asks for the metric all the same is told what is missing. Default: always.
   */
  listed?(sample: Sample): boolean;
  /** The metric of one sample with its interval. Undefined with a reason, never 0 or NaN in place of an answer. */
  measure(sample: Sample, options: MeasureOptions): MetricResult;
  /** Candidate against baseline on the same rows in the same order: paired, so that what both find hard cancels. */
  contrast(candidate: Sample, baseline: Sample, options: MeasureOptions): ContrastResult;
};

export const classificationTasks = [
  "binary-classification",
  "multiclass-classification",
] as const satisfies readonly Task[];
export const regressionTasks = ["regression", "forecasting"] as const satisfies readonly Task[];
