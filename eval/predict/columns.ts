import { EvaluationError } from "../../models/core/errors.ts";
import type { Task } from "../../models/core/manifest/manifest.ts";
import type { HeadResult } from "../../models/core/postprocess/result.ts";
import type { DatasetRow } from "../dataset/row.ts";
import type { Predictions } from "../predictions/predictions.ts";

/** What a model answered to some rows of a dataset: `width` numbers a row, and one list or text a row, or none. */
export type HeadAnswers = { numbers: Float64Array; lists: readonly unknown[] };

/** The columns of predictions that depend on the head. */
export type OwnColumns = Pick<Predictions, "labels" | "scores" | "classes"> &
  Partial<Pick<Predictions, "answers" | "forecasts" | "threshold">> & {
    /** Where a row of the dataset becomes several: which one each belongs to, and their ids. */
    expanded?: { owner: Int32Array; ids: string[] };
  };

/** How one head appears in `Predictions`, and what of its answers is kept for that. */
export type HeadColumns = {
  head: string;
  task: Task;
  /** Binary: [negative, positive]. Multiclass: the head's labels. Otherwise: empty. */
  classes: string[];
  /** Numbers per row that are kept of an answer. */
  width: number;
  write: (result: HeadResult, into: Float64Array, at: number) => void;
  /** What else is kept of an answer, as JSON; null where the numbers are all. */
  list: ((result: HeadResult) => unknown) | null;
  /** @throws EvaluationError `label-mismatch` when the head does not know the row's true value */
  check: (row: DatasetRow) => void;
  collect: (rows: readonly DatasetRow[], answers: HeadAnswers) => OwnColumns;
  /** What `collect` was given, from what it made; null where that is of another head. */
  recover: (predictions: Predictions, rows: readonly DatasetRow[]) => HeadAnswers | null;
};

/** The id that a row's answer to one step has, where a row becomes several. */
const stepId = (id: string, step: number) => `${id}:${step}`;

/** The ids that a row of the dataset has in the predictions of a head. */
export function idsOf(row: DatasetRow, head: string): string[] {
  const label = row.labels[head];
  return typeof label === "object" && label.kind === "actuals" && !label.single
    ? label.steps.map((step) => stepId(row.id, step))
    : [row.id];
}

export function mismatch(head: string, row: DatasetRow, expected: string): EvaluationError {
  return new EvaluationError({
    code: "label-mismatch",
    problem: `the model's head "${head}" does not fit the dataset's label of row ${row.id}`,
    expected,
    received: JSON.stringify(row.labels[head])?.slice(0, 200) ?? "no label",
  });
}
