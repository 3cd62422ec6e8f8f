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
export type SweepRequest = {
  ways: readonly { batch: number; tokenBudget: number | null }[];
  budgetMs: number;
  /**
   * Set where all rows cost alike: how many of them each way runs, or as many as one run of it takes. Absent: all, for
   * rows of different lengths are comparable only as a whole.
   */
  alike?: number;
};

/** Times that a way is run at least, unless that takes more than twice its share of the time. */
export const MIN_REPEATS = 3;
const MAX_REPEATS = 15;

/**
 * Times rows, cut into runs of every size. Preprocessing and graph are timed together, because a request pays
 * for both. Stops when the time is spent; one row at a time is always measured.
 *
 * @param now milliseconds, from any start
 * @returns medians; the first point is one row at a time.
 */
export async function sweepBatches(
  predictor: Pick<Predictor, "predict">,
  rows: readonly Row[],
  request: SweepRequest,
  now = () => performance.now(),
): Promise<SweepPoint[]> {
  const points: SweepPoint[] = [];
  const start = now();
  const ways = [
    { batch: 1, tokenBudget: null },
    ...request.ways.filter(({ batch }) => batch > 1 && batch <= rows.length),
  ];
  const shareMs = request.budgetMs / ways.length;
  for (const { batch, tokenBudget } of ways) {
    const some = request.alike === undefined ? rows : rows.slice(0, Math.max(request.alike, batch));
    const before = points.at(-1);
    if (before !== undefined) {
      // A batch costs at most what its rows cost before, so that the longest run is known where rows are alike.
      const maxMs = request.alike === undefined ? 0 : (1000 * some.length) / before.rowsPerSecond;
      if (now() - start + maxMs > request.budgetMs) break;
    }
    const times: number[] = [];
    const pointStart = now();
    while (times.length < MIN_REPEATS || (times.length < MAX_REPEATS && now() - pointStart < shareMs)) {
      const runStart = now();
      await predictor.predict(some, {
        batch,
        sort: true,
        badOutput: "row",
        ...(tokenBudget === null ? {} : { tokenBudget }),
      });
      times.push(now() - runStart);
      // A slow model is not run three times just for a median.
      if (now() - pointStart > 2 * shareMs) break;
    }
    const totalMs = times.toSorted((a, b) => a - b)[times.length >> 1]!;
    points.push({ batch, tokenBudget, rows: some.length, totalMs, rowsPerSecond: (1000 * some.length) / totalMs });
  }
  return points;
}
