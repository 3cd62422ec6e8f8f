import type { Diagnostic } from "../../../models/core/errors.ts";
import type { ModelDescription, OpenOptions } from "../../../models/core/predictor/predictor.ts";
import type { Row } from "../../../models/core/row.ts";
import type { Feeds, RowsResult, RunPlan, TensorsResult } from "./engine.ts";
import type { SweepPoint, SweepRequest } from "./sweep.ts";
import type { Turn } from "./turn.ts";

/** What the server asks of a worker or process that holds one model. */
export type Ask =
  | { kind: "open"; dir: string; options: OpenOptions }
  /** `pieces`: texts are sent piece by piece too. */
  | { kind: "rows"; rows: readonly Row[]; plan: RunPlan; pieces?: boolean }
  | { kind: "tensors"; feeds: Feeds; fetches: readonly string[] | undefined }
  | { kind: "sweep"; rows: readonly Row[]; request: SweepRequest }
  | { kind: "close" };

/** Ends the question `cancel` between two steps of its run. It has no answer of its own. */
export type Cancel = { cancel: number };

/** `rows` and `tensors` are null when the question was taken back. */
export type Answers = {
  open: ModelDescription;
  rows: RowsResult | null;
  tensors: TensorsResult | null;
  sweep: SweepPoint[];
  close: null;
};

/** `turn` is set for a question that waits behind another one. */
export type Question = { id: number; ask: Ask; turn?: Turn | undefined };
/** `configuration`: the diagnostic is about model.yaml, not about the run. */
export type Reply =
  | { id: number; ok: true; answer: Answers[keyof Answers] }
  | { id: number; ok: false; configuration: boolean; diagnostic: Diagnostic };
/** A piece of the text of row `index`, before the reply. */
export type Piece = { id: number; index: number; piece: string };
