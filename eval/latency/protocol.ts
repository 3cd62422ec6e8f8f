import type { HistoryFile } from "../../models/core/feature-store/file.ts";
import type { Diagnostic } from "../../models/core/errors.ts";
import type { Provider } from "../../models/core/session/session.ts";

/** The command that opens the model in a fresh process. */
export type OpenCommand = {
  kind: "open";
  modelDir: string;
  rows: readonly Readonly<Record<string, unknown>>[];
  /** Lookup step → the feature table of the exam, whose times are those of the rows. */
  histories?: Readonly<Record<string, HistoryFile>>;
  provider?: Provider;
  threads?: number;
  /** Longest warm-up after the first prediction, ms of processor time; 0 for none. */
  warmMs: number;
  /**
   * Milliseconds of busy work added to every call inside the timed region, calibrated in the process. This proves that
   * a slow-down is detected.
   */
  slowdownMs: number;
};

/**
 * Timed calls, one after the other: `lead` untimed ones, then `count`, or as many as fit `budgetMs` (at least
 * `atLeast`). Call i predicts rows start + i·batch … of the given rows and continues at the start of the list after its
 * end.
 */
export type TurnCommand = { kind: "turn"; start: number; batch: number; lead: number } & (
  | { count: number }
  | { budgetMs: number; atLeast: number }
);

export type Command = OpenCommand | TurnCommand | { kind: "footprint"; batch: number } | { kind: "exit" };

export type Opened = {
  kind: "opened";
  /** Wall clock (epoch, ms) when the first prediction was ready. */
  firstPredictionAt: number;
  modelBytes: number;
  /** Rows per run when the model is served, from the manifest. */
  servedBatch: number;
  provider: string;
  onnxruntime: string;
  threads: number;
  /** Median of the last warm-up calls, ms; without a warm-up, the first call. */
  callMs: number;
};

export type TurnTimings = {
  durationsMs: Float64Array;
  elapsedMs: number;
  /** Of a decode loop: tokens of all timed calls, and each call's time from the start of its loop to the first token. */
  generated: { tokens: number; firstTokensMs: Float64Array } | null;
};

export type Reply =
  | Opened
  | ({ kind: "timings" } & TurnTimings)
  | { kind: "footprint"; peakRssBytes: number; bytesPerRow: number | null }
  | { kind: "failed"; diagnostic: Diagnostic };
