import type { RunPlan } from "../engine/engine.ts";
import type { SweepPoint } from "../engine/sweep.ts";

/** How a model's requests are combined into runs, and the measurement behind it. */
export type BatchingPlan = RunPlan & {
  /** How long a group of two or more may wait for others. A lone request never waits. */
  maxDelayUs: number;
  /** Rows per second of the plan, divided by that of one row at a time. */
  gain: number;
  /** Expected time of one full run, for the first estimate of the waiting time. */
  runMs: number;
  sweep: readonly SweepPoint[];
  reason: string;
};

/** Below this gain rows run alone: a batch delays its first row for the benefit of its last. */
const MIN_GAIN = 1.1;
const MAX_DELAY_US = 2000;

/**
 * Chooses the batch with the most rows per second, or the smallest one within 5 % of it. Rows run alone if batches gain
 * less than 1.1.
 *
 * The delay is what one joining row saves, t₁ (1 − 1/gain), at most 2 ms: waiting longer for one more row costs the
 * group more than that row costs alone. On the main thread there is no delay, because everything that arrives in the
 * same turn of the event loop is together already.
 */
export function planBatches(
  points: readonly SweepPoint[],
  options: { onMainThread: boolean; maxBatch?: number | undefined; maxDelayUs?: number | undefined },
): BatchingPlan {
  const single = points[0];
  if (single === undefined) {
    return {
      maxBatch: options.maxBatch ?? 1,
      tokenBudget: null,
      maxDelayUs: options.maxDelayUs ?? 0,
      gain: 1,
      runMs: 1,
      sweep: [],
      reason: "not measured: the manifest has no serving examples",
    };
  }
  const best = points.reduce((most, point) => (point.rowsPerSecond > most.rowsPerSecond ? point : most));
  const wanted =
    options.maxBatch === undefined ? undefined : points.filter((point) => point.batch <= options.maxBatch!).at(-1);
  const chosen =
    wanted ??
    (best.rowsPerSecond / single.rowsPerSecond < MIN_GAIN
      ? single
      : points.find((point) => point.rowsPerSecond >= 0.95 * best.rowsPerSecond)!);
  const gain = chosen.rowsPerSecond / single.rowsPerSecond;
  const maxBatch = options.maxBatch ?? chosen.batch;
  const singleMs = single.totalMs / single.rows;
  const delay =
    maxBatch === 1 || options.onMainThread
      ? 0
      : Math.min(MAX_DELAY_US, Math.max(0, Math.round(1000 * singleMs * (1 - 1 / gain))));
  return {
    maxBatch,
    tokenBudget: chosen.tokenBudget,
    maxDelayUs: options.maxDelayUs ?? delay,
    gain,
    runMs: (chosen.totalMs / chosen.rows) * Math.min(maxBatch, chosen.rows),
    sweep: points,
    reason:
      options.maxBatch !== undefined
        ? "as configured"
        : chosen === single
          ? `batches gain ${(best.rowsPerSecond / single.rowsPerSecond).toFixed(2)}×, less than ${MIN_GAIN}×`
          : `batches of ${maxBatch} gain ${gain.toFixed(2)}×`,
  };
}
