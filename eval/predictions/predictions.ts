import type { Task } from "../../models/core/manifest/manifest.ts";

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
  weights: Float64Array | null;
  /** Error of the naive forecast on the training data of each row's series, where declared: the divisor of MASE. */
  naiveScales?: Float64Array;
  /** Digest of the dataset that the rows came from; null for plain prediction files. */
  datasetDigest: string | null;
};
