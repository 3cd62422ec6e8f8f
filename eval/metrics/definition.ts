import type { MetricName } from "../../models/core/manifest/gates.ts";
import type { Task } from "../../models/core/manifest/manifest.ts";
import type { MetricOptions, MetricResult } from "../schema/metrics.ts";
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
  /**
   * Error of the naive forecast on the training data of each row's series, for MASE; absent when it is not declared.
   */
  naiveScales?: Float64Array;
  /** Binary: the score from which on the model itself answers class 1, where its manifest declares one. */
  threshold?: number;
};

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
  /** Values of the options that this metric reads, when they are not given. */
  defaultOptions: MetricOptions;
  /**
   * Whether a sample has what the metric needs besides labels and scores. If not, reports do not list the metric, and
   * only a check that asks for it gets the reason. Default: always.
   */
  listed?(sample: Sample): boolean;
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
