import type { AnswerHead } from "../../../models/core/postprocess/answer-columns.ts";
import type { JobPolicy } from "./limits.ts";

/** What a job needs to know of the model that answers it. */
export type ModelFacts = {
  version: string;
  /** Identifies the model's content. */
  digest: string;
  /** Properties of the JSON Schema of a row. */
  fields: Record<string, unknown>;
  heads: readonly AnswerHead[];
  /** Fields that a whole file may be the value of. */
  mediaFields: readonly string[];
  policy: JobPolicy;
};

/** A row without an answer. `detail` says what is wrong with it and holds none of its values. */
export type RowProblem = { index: number; status: number; code: string; detail: string };

/**
 * What became of some rows. `answered`: an answer or a problem of each, as the text of a JSON object, in order. `busy`:
 * nothing was done, and later it may be. `failed`: the model gave no answer to these rows together. `changed`: another
 * version of the model answers now.
 */
export type RowsOutcome =
  | { kind: "answered"; answers: string[]; problems: RowProblem[] }
  | { kind: "busy"; code: string; retryMs: number }
  | { kind: "failed"; code: string; detail: string }
  | { kind: "changed" };

/** The models of the server, as the jobs see them. They answer through the same path as every request. */
export type JobModels = {
  /** Ids of those that answer. */
  ready(): Promise<string[]>;
  /** Null while there is no such model that answers. */
  facts(model: string): Promise<ModelFacts | null>;
  /** @param rows the text of a JSON object each */
  predict(model: string, digest: string, rows: readonly string[]): Promise<RowsOutcome>;
};
