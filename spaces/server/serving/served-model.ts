import type { z } from "zod";
import type { Diagnostic } from "../../../models/core/errors.ts";
import type { HeadResult } from "../../../models/core/postprocess/head.ts";
import type { ResponseTiming } from "../../../models/core/postprocess/response.ts";
import type { Note } from "../../../models/core/preprocess/compiled.ts";
import type { Row } from "../../../models/core/row.ts";
import type { GraphTensor, TensorFacts } from "../../../models/core/tensors.ts";
import type { Refused } from "../scheduling/refused.ts";
import type { RequestDeadline, TensorsTicket } from "../scheduling/scheduler.ts";

/** `firstTokenMs`: of a text that is written piece by piece, until its first one. */
export type Timing = { queueMs: number; inferenceMs: number; firstTokenMs?: number };
/**
 * A text that a model wrote. `finishReason`: `stop`, or `length` when it was cut at its token limit; `usage`: what the
 * provider counted.
 */
type TextResult = {
  kind: "text";
  text: string;
  finishReason: string;
  usage: { inputTokens: number; outputTokens: number } | null;
};
/** What every backend answers for one row, wherever it ran. */
export type RowOutcome =
  | { ok: true; heads: Record<string, HeadResult | TextResult>; notes?: readonly Note[] }
  | {
      ok: false;
      refused: boolean;
      field: string | null;
      diagnostic: Diagnostic;
      /** Set where the server or a provider failed, not the row. */
      failure?: Refused;
    };
export type Prediction = { outcome: RowOutcome; timing: Timing };
export type Predictions = { outcomes: RowOutcome[]; timing: Timing };

/** The graph's own inputs and outputs, for the Open Inference Protocol; only models that run here have them. */
export type TensorFace = {
  inputs: readonly TensorFacts[];
  outputs: readonly TensorFacts[];
  /** Largest size of each dimension that varies, per input. */
  largest: Readonly<Record<string, readonly number[]>>;
  run(
    feeds: Record<string, GraphTensor>,
    fetches: readonly string[] | undefined,
    rows: number,
    requestDeadline: RequestDeadline,
  ): Promise<TensorsTicket>;
};

/** One version of a model that answers, whichever backend it has. */
export type ServedModel = {
  id: string;
  version: string;
  /** Identifies the content: what answers may be cached under. */
  digest: string;
  rowSchema: z.ZodObject;
  /** A row that it can answer. */
  example: Row | null;
  /** A fast yes, true only for rows that `rowSchema` accepts; false says nothing. */
  wellFormed?(row: unknown): boolean;
  /** What `JSON.stringify` makes of an answer's heads, faster. */
  headsJson?(heads: Record<string, HeadResult | TextResult>): string;
  /**
   * Fields that hold an image. `urls`: its URL may be given whatever the server's settings say; `optional`: the model
   * has a placeholder for it.
   */
  imageFields: readonly { name: string; maxBytes: number; urls: boolean; optional: boolean }[];
  /** The model's own JSON in the place of the standard answer, where it has one, and its JSON Schema. */
  response?: {
    write(heads: Readonly<Record<string, HeadResult>>, timing: ResponseTiming): Record<string, unknown>;
    schema: object;
  };
  /** Most rows of one request, where the model itself sets a limit. */
  maxRows: number | null;
  /** Whether it can answer at all; a model may be in its place and still lack what only an operator can give. */
  condition(): { state: "ready"; diagnostic: null } | { state: "not-configured"; diagnostic: Diagnostic };
  /** Facts for `/models/{id}`. */
  card(): Record<string, unknown>;
  predict(row: Row, requestDeadline: RequestDeadline): Promise<Prediction>;
  /** Order kept; a bad row is its own outcome. */
  predictMany(rows: readonly Row[], requestDeadline: RequestDeadline): Promise<Predictions>;
  /**
   * The answer piece by piece, then whole; null where it comes at once. @throws as `predict`, and it may after some
   * pieces.
   */
  stream: ((row: Row, requestDeadline: RequestDeadline) => AsyncGenerator<string, Prediction>) | null;
  tensors: TensorFace | null;
  load(): { queuedRows: number; runningGroups: number; estimatedWaitMs: number };
  /** Answers what has come, refuses what comes, frees the memory. */
  close(): Promise<void>;
};
