import type { Prepared } from "../preprocess/compiled.ts";
import type { Row } from "../row.ts";
import type { Dtype } from "../tensors.ts";
import type { CatalogueItem } from "../catalogue/catalogue.ts";
import type { HeadResult } from "./result.ts";
import type { Head } from "./schema.ts";

/** Files that a head reads, already parsed: postprocessing does no I/O. */
export type HeadFiles = { catalogue?: readonly CatalogueItem[]; tokenizer?: object; vocabulary?: readonly string[] };

/** What a head may need besides the outputs: the row, and what each preprocessing step made of it. */
export type RowContext = { row: Row; steps: Readonly<Record<string, Prepared>> };

/** One row of a graph output. `dims` is its shape without the batch. */
export type RowTensor = { dtype: Dtype; data: ArrayLike<number | bigint | string>; dims: readonly number[] };

/** A head over a fixed number of numbers per row. */
export type NumbersHead = {
  kind: "numbers";
  head: Head & { from: string };
  /** Numbers per row that the head reads. */
  width: number;
  /**
   * Reads one row; `values` holds nothing else.
   * @throws EvaluationError naming head and row.
   */
  read(values: ArrayLike<number>, rowName: string, row?: Row): HeadResult;
  /**
   * Reads the row that starts at `from`. `rowName` is called only for an error. `row` is what was asked.
   * @throws RowError where a field of it, which the head reads, is unusable
   */
  readAt(values: ArrayLike<number>, from: number, rowName: () => string, row?: Row): HeadResult;
};

/** What the answer to a row depends on, to compare two runs of the same row. */
export type RawAnswer = {
  /** May differ by a tolerance. */
  numbers: ArrayLike<number>;
  /** Must be the same. */
  exact: readonly (number | string)[];
  /** Scored items, best first; those whose scores are equal within the tolerance may change places. */
  ranked: readonly { id: string; score: number }[];
};

/** A head over tensors of any size, which may also read the row itself. */
export type TensorsHead = {
  kind: "tensors";
  head: Head;
  /**
   * @param outputs by name; those that `outputsOf` names
   * @throws EvaluationError naming head and row; RowError where the row lacks what the head needs
   */
  readRow(outputs: Readonly<Record<string, RowTensor>>, context: RowContext, rowName: () => string): HeadResult;
  /** The part of the outputs that belongs to this row, without what pads it to the longest row of its batch. */
  raw(outputs: Readonly<Record<string, RowTensor>>, context: RowContext): RawAnswer;
};

export type CompiledHead = NumbersHead | TensorsHead;
