import { loadManifest } from "../../../models/core/predictor/load.ts";
import { openPredictor } from "../../../models/core/predictor/predictor.ts";
import type { RankingResult } from "../../../models/core/postprocess/result.ts";
import { quantile } from "../../../eval/stats/quantile.ts";
import { readRequests } from "./manifests.ts";

/** The model in a folder, without a server: FOLDER REQUESTS → JSON on stdout. */
const [folder, requests] = process.argv.slice(2) as [string, string];
const BATCH = 32;
const SINGLES = 200;
const BATCHES = 16;

const rows = readRequests(requests);
const began = performance.now();
const predictor = await openPredictor(await loadManifest(folder), {}, { env: {}, fetch });
const openSeconds = (performance.now() - began) / 1000;
const answer = async (some: typeof rows) =>
  (await predictor.predict(some)).map((one) => {
    if (!one.ok) throw one.error;
    return (one.heads["items"] as RankingResult).items.map(({ id }) => id);
  });
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

for (const row of rows.slice(-20)) await answer([row]);
const lists: string[][] = [];
const singleMs: number[] = [];
const cpuBefore = cpuMs();
for (const row of rows.slice(0, SINGLES)) {
  const start = performance.now();
  lists.push(...(await answer([row])));
  singleMs.push(performance.now() - start);
}
const singleCpuMs = (cpuMs() - cpuBefore) / SINGLES;
await answer(rows.slice(-BATCH));
const batchMs: number[] = [];
const cpuBetween = cpuMs();
for (let i = 0; i < BATCHES; i++) {
  const start = performance.now();
  lists.push(...(await answer(rows.slice(SINGLES + i * BATCH, SINGLES + (i + 1) * BATCH))));
  batchMs.push(performance.now() - start);
}
const batchCpuMs = (cpuMs() - cpuBetween) / BATCHES / BATCH;
process.stdout.write(
  JSON.stringify({
    openSeconds,
    p50: quantile(singleMs, 0.5),
    p95: quantile(singleMs, 0.95),
    singleCpuMs,
    batchMs: quantile(batchMs, 0.5),
    batchCpuMs,
    rssMb: process.memoryUsage().rss / 1e6,
    lists,
  }),
);
await predictor.close();
