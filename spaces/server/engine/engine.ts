import type { Diagnostic } from "../../../models/core/errors.ts";
import type { HeadResult } from "../../../models/core/postprocess/head.ts";
import type { Note } from "../../../models/core/preprocess/compiled.ts";
import type { ModelDescription } from "../../../models/core/predictor/predictor.ts";
import type { Row } from "../../../models/core/row.ts";
import type { GraphTensor } from "../../../models/core/tensors.ts";
import type { SweepPoint, SweepRequest } from "./sweep.ts";
import type { Turn } from "./turn.ts";

/** What one row got. `refused`: the row cannot be used; otherwise the model gave no usable answer for it. */
export type RowAnswer =
  | { ok: true; heads: Record<string, HeadResult>; notes?: readonly Note[] }
  | { ok: false; refused: boolean; field: string | null; diagnostic: Diagnostic };

/** How a group of rows is cut into runs of the graph. */
export type RunPlan = { maxBatch: number; tokenBudget: number | null };

/** What a group of rows cost: time inside the graph, runs, and tokens with padding (rows where there are no texts). */
type RunCost = { inferenceMs: number; totalMs: number; runs: number; tokens: number };

export type RowsDone = { answers: RowAnswer[]; cost: RunCost };
export type TensorsDone = { outputs: Record<string, GraphTensor>; inferenceMs: number };
export type Feeds = Record<string, GraphTensor>;

/** What every place where a model can run offers. One per model and version. */
export type Engine = {
  kind: "main" | "worker" | "process";
  /** Runs that can happen at the same time. */
  slots: number;
  /**
   * Whether one group more may be handed over, with a turn, while the slots are taken: its run begins without a message
   * in between.
   */
  acceptsNextGroup: boolean;
  describe(): ModelDescription;
  /**
   * @returns null when its turn was taken back. @throws EngineLost when its worker or process has died; EvaluationError
   * when the model failed.
   */
  rows(rows: readonly Row[], plan: RunPlan, turn?: Turn): Promise<RowsDone | null>;
  tensors(feeds: Feeds, fetches?: readonly string[], turn?: Turn): Promise<TensorsDone | null>;
  /** Times these rows, cut into runs in every way that is asked. */
  sweep(rows: readonly Row[], request: SweepRequest): Promise<SweepPoint[]>;
  /**
   * Waits for the runs in flight, frees the memory. A busy worker is never terminated: that would abort the process.
   */
  close(): Promise<void>;
};

/** The worker or process that held the model has died; the request may be repeated. */
export class EngineLost extends Error {
  override name = "EngineLost";
}
