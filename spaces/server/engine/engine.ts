import type { Diagnostic } from "../../../models/core/errors.ts";
import type { HeadResult } from "../../../models/core/postprocess/result.ts";
import type { StepRun } from "../../../models/core/predictor/interface.ts";
import type { Note } from "../../../models/core/preprocess/compiled.ts";
import type { ModelDescription } from "../../../models/core/predictor/predictor.ts";
import type { Row } from "../../../models/core/row.ts";
import type { FeatureReason, FiredRule } from "../../../models/core/rules/reasons.ts";
import type { GraphTensor } from "../../../models/core/tensors.ts";
import type { SweepPoint, SweepRequest } from "./sweep.ts";
import type { Turn } from "./turn.ts";

/** The result for one row. `refused`: the row cannot be used; otherwise the model gave no usable answer for it. */
export type RowAnswer =
  | {
      ok: true;
      heads: Record<string, HeadResult>;
      notes?: readonly Note[];
      rules?: { fired: readonly FiredRule[] };
      features?: readonly FeatureReason[];
      /** Its features, where the row was among those that are counted; see models/profile. */
      seen?: Float64Array;
    }
  | { ok: false; refused: boolean; field: string | null; diagnostic: Diagnostic };

/** What goes on while rows run: pieces of texts as they come, and a signal that ends the run between two steps. */
export type LiveRows = { onPiece?: ((index: number, piece: string) => void) | undefined; signal: AbortSignal };

/** How a group of rows is cut into runs of the graph. */
export type RunPlan = {
  maxBatch: number;
  tokenBudget: number | null;
  /** Share of the time that may be spent on reading the features of rows as well; 1 reads every row's. */
  observe?: number;
  /** Whether runs have steps, between which they can be ended. */
  interruptible?: boolean;
};

/**
 * The cost of a group of rows: time inside the graph, runs, and tokens with padding (rows for models without texts).
 */
type RunCost = {
  inferenceMs: number;
  totalMs: number;
  runs: number;
  tokens: number;
  /** Of a decode loop: tokens that it made, and the longest time until the first of a run. */
  generated?: { tokens: number; firstTokenMs: number };
  /** Of a composition: the calls of its steps. */
  steps?: StepRun[];
};

export type RowsResult = { answers: RowAnswer[]; cost: RunCost };
export type TensorsResult = { outputs: Record<string, GraphTensor>; inferenceMs: number };
export type Feeds = Record<string, GraphTensor>;

/** The interface of every place where a model can run. There is one engine per model and version. */
export type Engine = {
  kind: "main" | "worker" | "process";
  /** Number of runs that can happen at the same time. */
  slots: number;
  /**
   * Whether one more group, with a turn, may be sent while all slots are taken. Its run then begins without waiting for
   * a message.
   */
  acceptsNextGroup: boolean;
  describe(): ModelDescription;
  /**
   * @returns null when the turn was taken back.
   * @throws EngineLost when the worker or process has died; EvaluationError when the model failed.
   */
  rows(rows: readonly Row[], plan: RunPlan, turn?: Turn, live?: LiveRows): Promise<RowsResult | null>;
  tensors(feeds: Feeds, fetches?: readonly string[], turn?: Turn): Promise<TensorsResult | null>;
  /** Times these rows, cut into runs in each of the requested ways. */
  sweep(rows: readonly Row[], request: SweepRequest): Promise<SweepPoint[]>;
  /**
   * Waits for the runs in flight, then frees the memory. A busy worker is never terminated: that would abort the
   * process.
   */
  close(): Promise<void>;
};

/** The worker or process that held the model has died; the request may be repeated. */
export class EngineLost extends Error {
  override name = "EngineLost";
}
