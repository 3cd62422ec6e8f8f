import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { EvaluationError } from "../../models/core/errors.ts";
import type { BootstrapShare } from "./bootstrap-worker.ts";
import { replicatesFromSums, resampledSums } from "./bootstrap.ts";
import type { SumStatistic } from "./sums.ts";

export type ParallelOptions = {
  seed: number;
  resamples: number;
  /** Number of threads; default: one per core. With 1, the work is done in this thread. */
  workers?: number;
  /** Time limit; default: ten minutes. */
  timeoutMs?: number;
};

/**
 * The replicates of `bootstrapReplicates`, bit for bit and for any number of workers: each resample has its own random
 * stream, and only whole resamples are divided. The cells are shared, not copied per worker.
 *
 * @throws EvaluationError when a worker fails or time runs out
 */
export async function bootstrapInWorkers(statistic: SumStatistic, options: ParallelOptions): Promise<Float64Array> {
  const { seed, resamples, timeoutMs = 600_000 } = options;
  const workers = Math.max(1, Math.min(options.workers ?? availableParallelism(), resamples));
  const { cells, width } = statistic;
  if (workers === 1) return replicatesFromSums(statistic, resampledSums(cells, width, seed, 0, resamples));
  const shared = new SharedArrayBuffer(cells.byteLength);
  new Float64Array(shared).set(cells);
  const sums = new Float64Array(resamples * width);
  const shares = Array.from({ length: workers }, (_, k): BootstrapShare => ({
    cells: shared,
    width,
    seed,
    from: Math.floor((k * resamples) / workers),
    to: Math.floor(((k + 1) * resamples) / workers),
  }));
  const threads: Worker[] = [];
  try {
    await Promise.all(
      shares.map(async (share) => {
        const worker = new Worker(new URL("./bootstrap-worker.ts", import.meta.url), { workerData: share });
        threads.push(worker);
        sums.set(await answer(worker, timeoutMs), share.from * width);
      }),
    );
  } finally {
    await Promise.all(threads.map((worker) => worker.terminate()));
  }
  return replicatesFromSums(statistic, sums);
}

function answer(worker: Worker, timeoutMs: number): Promise<Float64Array> {
  return new Promise((resolve, reject) => {
    const fail = (problem: string, cause?: unknown): void =>
      reject(new EvaluationError({ code: "bootstrap-worker", problem }, { cause }));
    const timer = setTimeout(() => fail(`a bootstrap worker did not answer within ${timeoutMs} ms`), timeoutMs);
    worker.once("message", (sums: Float64Array) => {
      clearTimeout(timer);
      resolve(sums);
    });
    worker.once("error", (error) => {
      clearTimeout(timer);
      fail("a bootstrap worker failed", error);
    });
    worker.once("exit", (code) => {
      clearTimeout(timer);
      fail(`a bootstrap worker ended with code ${code} before it answered`);
    });
  });
}
