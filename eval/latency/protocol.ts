import type { Diagnostic } from "../../models/core/errors.ts";
import type { Provider } from "../../models/core/session/session.ts";

/** What a model's process is told at its start. */
export type OpenCommand = {
  kind: "open";
  modelDir: string;
  rows: readonly Readonly<Record<string, unknown>>[];
  provider?: Provider;
  threads?: number;
  /** Longest warm-up after the first prediction, ms of processor time; 0 for none. */
  warmMs: number;
  /**
   * Milliseconds of busy work added to every call inside the timed region, calibrated in the process: how detection is
   * proven.
   */
  slowdownMs: number;
};

/**
 * Timed calls, one after the other: `lead` untimed ones, then `count`, or as many as fit `budgetMs` (at least
 * `atLeast`). Call i predicts rows start + i·batch … of the given rows, around the end of the list.
 */
export type TurnCommand = { kind: "turn"; start: number; batch: number; lead: number } & (
  | { count: number }
  | { budgetMs: number; atLeast: number }
);

export type Command = OpenCommand | TurnCommand | { kind: "footprint"; batch: number } | { kind: "exit" };

export type Opened = {
  kind: "opened";
  /** Wall clock (epoch, ms) when the first prediction was there. */
  firstPredictionAt: number;
  modelBytes: number;
  /** Rows per run that the manifest serves with. */
  servedBatch: number;
  provider: string;
  onnxruntime: string;
  threads: number;
  /** Median of the last warm-up calls, ms; of the first call where there was no warm-up. */
  callMs: number;
};

export type Reply =
  | Opened
  | { kind: "timings"; durationsMs: Float64Array; elapsedMs: number }
  | { kind: "footprint"; peakRssBytes: number; bytesPerRow: number }
  | { kind: "failed"; diagnostic: Diagnostic };
