import { parentPort, workerData } from "node:worker_threads";
import { resampledSums } from "./bootstrap.ts";

/**
 * Input of a worker: the cells in shared memory and its range of resamples. The worker answers with their sums and
 * ends.
 */
export type BootstrapShare = { cells: SharedArrayBuffer; width: number; seed: number; from: number; to: number };

const { cells, width, seed, from, to } = workerData as BootstrapShare;
const sums = resampledSums(new Float64Array(cells), width, seed, from, to);
parentPort?.postMessage(sums, [sums.buffer as ArrayBuffer]);
