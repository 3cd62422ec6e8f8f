import type { Predictor } from "../../../models/core/predictor/predictor.ts";
import type { Row } from "../../../models/core/row.ts";

/**
 * One way to run, measured: rows per run, budget of padded tokens, median time of all rows, and the resulting rows per
 * second.
 */
export type SweepPoint = {
  batch: number;
  tokenBudget: number | null;
  rows: number;
  totalMs: number;
  rowsPerSecond: number;
};

/** Ways to cut rows into runs, and how long all of them together may take. */
export type SweepRequest = { ways: readonly { batch: number; tokenBudget: number | null }[]; budgetMs: number };

const MIN_REPEATS = 3;
const MAX_REPEATS = 15;

/**
 * Times the same rows, cut into runs of every size. Preprocessing and graph are timed together, because a request pays
 * for both. Stops when the time is spent; one row at a time is always measured.
 *
 * @returns medians; the first point is one row at a time.
 */
export async function sweepBatches(
  predictor: Pick<Predictor, "predict">,
  rows: readonly Row[],
  request: SweepRequest,
): Promise<SweepPoint[]> {
  const points: SweepPoint[] = [];
  const start = performance.now();
  const ways = [
    { batch: 1, tokenBudget: null },
    ...request.ways.filter(({ batch }) => batch > 1 && batch <= rows.length),
  ];
  const shareMs = request.budgetMs / ways.length;
  for (const { batch, tokenBudget } of ways) {
    if (points.length > 0 && performance.now() - start > request.budgetMs) break;
    const times: number[] = [];
    const pointStart = performance.now();
    while (times.length < MIN_REPEATS || (times.length < MAX_REPEATS && performance.now() - pointStart < shareMs)) {
      const runStart = performance.now();
      await predictor.predict(rows, {
        batch,
        sort: true,
        badOutput: "row",
        ...(tokenBudget === null ? {} : { tokenBudget }),
      });
      times.push(performance.now() - runStart);
      // A slow model is not run three times just for a median.
      if (performance.now() - pointStart > 2 * shareMs) break;
    }
    const totalMs = times.toSorted((a, b) => a - b)[times.length >> 1]!;
    points.push({ batch, tokenBudget, rows: rows.length, totalMs, rowsPerSecond: (1000 * rows.length) / totalMs });
  }
  return points;
}
