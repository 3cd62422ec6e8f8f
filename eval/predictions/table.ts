import { augmentationColumn } from "../../models/core/manifest/augmentations.ts";
import type { Task } from "../../models/core/manifest/manifest.ts";
import { type Format, type TextOptions } from "../dataset/formats/open.ts";
import type { Answers, Predictions } from "./predictions.ts";
import { type BinaryLabelOptions } from "./binary-labels.ts";
import { type Columns } from "./columns.ts";
import { RowIds } from "./row-ids.ts";
import { type TextColumn } from "./text-column.ts";

export type ReadPredictionsOptions = Pick<BinaryLabelOptions, "positive"> & {
  task: Task;
  /** Name of the head that the file belongs to; default: "score". */
  head?: string;
  /** Class names when they are known: [negative, positive] of a binary task, or the classes of a multiclass one. */
  classes?: readonly string[];
  /** Slice columns to keep; default: every column without a fixed meaning. */
  slices?: readonly string[];
  /** What to do about a wanted slice column that the file lacks; default: refuse the file. */
  absentSlices?: "refuse" | "leave out";
  /** Without `slices`: a column with more different values is no slice column. Default: no limit. */
  largestSliceCount?: number;
  /** For a file without the column naive_scale: the scale of every row. Regression and forecasting only. */
  naiveScale?: number;
  /** Items that could be ranked, for coverage_at_k. Ranking only. */
  catalogueSize?: number;
  /** Predictions that this file may hold the same rows of, in the same order: their ids need no second look. */
  sameRowsAs?: Predictions;
  format?: Exclude<Format, "folder">;
  /** What is declared about the file's text. */
  text?: TextOptions;
};

/** A file's columns as they were read, before labels are understood. */
export type Table = {
  columns: Columns;
  rows: number;
  ids: RowIds | string[];
  /** Numbers where labels are numbers. */
  labels: TextColumn | Float64Array;
  /** One per score column. */
  scores: Float64Array[];
  /** In place of labels and scores, where the layout has them. */
  answers: Answers | null;
  groups: TextColumn | null;
  entities: TextColumn | null;
  weights: Float64Array | null;
  naiveScales: Float64Array | null;
  /** Where `columns.forecast` is there. */
  forecast: { series: TextColumn; steps: Float64Array; quantiles: Float64Array[]; naive2: Float64Array | null } | null;
  /** In the order of `columns.slices`. */
  slices: TextColumn[];
  /** What ids were in another Unicode form. */
  renormalisedIds: { count: number; first: string | undefined };
  placeOf: (row: number) => string;
  notes: string[];
};

/** With the column of altered copies, where there is one: which rows are copies is no matter of choice. */
export function wantedSlices(
  header: readonly string[],
  { slices, absentSlices }: ReadPredictionsOptions,
): readonly string[] | undefined {
  if (slices === undefined) return undefined;
  const wanted = absentSlices === "leave out" ? slices.filter((column) => header.includes(column)) : slices;
  return header.includes(augmentationColumn) ? [...new Set([...wanted, augmentationColumn])] : wanted;
}
