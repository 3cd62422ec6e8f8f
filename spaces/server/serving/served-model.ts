import type { z } from "zod";
import type { Complaint } from "../../../models/core/errors.ts";
import type { HeadResult } from "../../../models/core/postprocess/head.ts";
import type { Row } from "../../../models/core/preprocess/row-error.ts";
import type { GraphTensor, TensorFacts } from "../../../models/core/tensors.ts";
import type { Patience, TensorsTicket } from "../scheduling/scheduler.ts";

export type Timing = { queueMs: number; inferenceMs: number };
/** What every backend answers for one row, wherever it ran. */
export type RowOutcome = { ok: true; heads: Record<string, HeadResult> } | { ok: false; refused: boolean; field: string | null; complaint: Complaint };
export type Prediction = { outcome: RowOutcome; timing: Timing };
export type Predictions = { outcomes: RowOutcome[]; timing: Timing };

/** The graph's own face, for the Open Inference Protocol; only models that run here have one. */
export type TensorFace = {
  inputs: readonly TensorFacts[];
  outputs: readonly TensorFacts[];
  /** Largest size of each dimension that varies, per input. */
  largest: Readonly<Record<string, readonly number[]>>;
  run(feeds: Record<string, GraphTensor>, fetches: readonly string[] | undefined, rows: number, patience: Patience): Promise<TensorsTicket>;
};

/** One version of a model that answers. Local and remote backends offer the same. */
export type ServedModel = {
  id: string;
  version: string;
  /** Identifies the content: what answers may be cached under. */
  digest: string;
  rowSchema: z.ZodObject;
  /** Fields that hold an image, which may be given by URL. */
  imageFields: readonly { name: string; maxBytes: number }[];
  /** Facts for `/models/{id}`. */
  card(): Record<string, unknown>;
  predict(row: Row, patience: Patience): Promise<Prediction>;
  /** Order kept; a bad row is its own outcome. */
  predictMany(rows: readonly Row[], patience: Patience): Promise<Predictions>;
  tensors: TensorFace | null;
  load(): { queuedRows: number; runningGroups: number; estimatedWaitMs: number };
  /** Answers what has come, refuses what comes, frees the memory. */
  close(): Promise<void>;
};
