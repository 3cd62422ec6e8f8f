import type { Task } from "../../models/core/manifest/manifest.ts";

/** A piece of a text: [start, end) in UTF-16 code units, and what it is. */
export type Span = { start: number; end: number; type: string };

/** True values and answers that are no numbers: one entry per row, in the order of `Predictions.ids`. */
export type Answers =
  /** One row a user. `gains` belong to `relevant` (0: not relevant after all); null where every item counts 1. `ranked` is best first. */
  | {
      kind: "ranking";
      relevant: string[][];
      gains: number[][] | null;
      ranked: string[][];
      /** Number of items that could be ranked; absent where nobody says. */
      catalogueSize?: number;
    }
  | { kind: "spans"; label: Span[][]; predicted: Span[][] }
  | { kind: "text"; references: string[][]; hypotheses: string[]; audioSeconds: Float64Array | null };

/** Where a row stands in its series, and what else was forecast for it. Every array has one entry per row. */
export type Forecasts = {
  series: string[];
  /** 1 is the first step after the origin. */
  steps: Int32Array;
  /** Levels from 0 to 1, ascending, and row-major n × levels.length values; null where only a point is forecast. */
  quantiles: { levels: number[]; values: Float64Array } | null;
  /** What Naive2 forecasts for each row, where given: the benchmark of OWA. */
  naive2?: Float64Array;
};

/**
 * What one head of one model predicted for the rows of a dataset, with the true values. Columnar: every array has one
 * entry per row, in the dataset's order.
 */
export type Predictions = {
  head: string;
  task: Task;
  /** Unique. Candidate and baseline are paired by these. */
  ids: string[];
  /** Classification: index into `classes` (binary: 1 is the positive class). Regression: the target. */
  labels: Float64Array;
  /** Binary: P(positive). Regression: the prediction. Multiclass: row-major n × classes.length probabilities. */
  scores: Float64Array;
  /** Binary: [negative, positive]. Multiclass: one per score column. Regression: empty. */
  classes: string[];
  /** Slice column → value per row. */
  slices: Record<string, string[]>;
  groups: string[] | null;
  /** Binary: whom each row's alert would be about, where declared: several rows may be about one. */
  entities?: string[];
  weights: Float64Array | null;
  /** Error of the naive forecast on the training data of each row's series, where declared: the divisor of MASE. */
  naiveScales?: Float64Array;
  /** Binary: the score from which on the model itself answers the positive class, where its manifest declares one. */
  threshold?: number;
  /** Ranking, token classification, texts: these instead of `labels`, `scores` and `classes`, which are then empty. */
  answers?: Answers;
  /** Forecasting, where the file names series and steps. */
  forecasts?: Forecasts;
  /** Digest of the dataset that the rows came from; null for plain prediction files. */
  datasetDigest: string | null;
  /**
   * The answers to altered copies of rows, each in the slice of the column `augmentation` that says how it was altered.
   * They are none of the rows above: only those slices count them.
   */
  copies?: Predictions;
};
