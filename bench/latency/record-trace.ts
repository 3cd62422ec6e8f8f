/**
 * Records raw block timings of a model against itself (all four processes the same), for replay.ts. Resumable: earlier
 * rounds are kept, and the file is saved once a minute and at the end (also on Ctrl-C), until it holds `--minutes` of
 * rounds.
 *
 *   node scripts/with-node24.mjs bench/latency/record-trace.ts --condition quiet --minutes 60
 *   node scripts/with-node24.mjs bench/latency/record-trace.ts --condition busy --minutes 60
 */
import { readFileSync } from "node:fs";
import os from "node:os";
import { withCompileCache } from "../../eval/latency/compile-cache.ts";
import { measureRound } from "../../eval/latency/latency-comparison.ts";
import { type ProcessDeps, startModelProcess } from "../../eval/latency/model-process.ts";
import { arms } from "../../eval/latency/rounds.ts";
import { shapeRound } from "../../eval/latency/schedule.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { runtimeVersion } from "../../models/core/session/session.ts";
import { builtWorker } from "./built-worker.ts";
import { setCondition } from "./condition.ts";
import { flags } from "./options.ts";
import { readTrace, toTrace, traceFile, writeTrace } from "./trace.ts";

const SAVE_EVERY_MS = 60_000;
const options = flags({
  condition: "quiet",
  minutes: 60,
  model: "models/births",
  rows: "models/births/data/eval.jsonl",
  out: "",
  seed: 1,
  warm: 400,
});
const out = options.out || traceFile(options.condition);
const rows = readFileSync(options.rows, "utf8")
  .trim()
  .split("\n")
  .slice(0, 256)
  .map((line) => JSON.parse(line) as Record<string, unknown>);
const sitting = {
  condition: options.condition,
  model: options.model,
  modelSha256: (await loadManifest(options.model)).manifest.artifact.sha256,
  cpu: os.cpus()[0]?.model.trim() ?? "",
  cores: os.availableParallelism(),
  node: process.version,
  onnxruntime: await runtimeVersion(),
};
const trace = readTrace(out);
const earlier = trace.flatMap((one) => one.rounds);
let recordedMs = earlier.reduce((sum, round) => sum + round.elapsedMs, 0);
const mine = { sitting, rounds: [] as ReturnType<typeof toTrace>[] };
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

async function round(index: number, deps: ProcessDeps): Promise<ReturnType<typeof toTrace>> {
  const at = new Date().toISOString();
  const start = performance.now();
  const started = await Promise.all(
    arms.map(() => startModelProcess({ modelDir: options.model, rows, warmMs: options.warm, slowdownMs: 0 }, deps)),
  );
  const [baseline, baselineTwin, candidate, candidateTwin] = started as [
    (typeof started)[0],
    (typeof started)[0],
    (typeof started)[0],
    (typeof started)[0],
  ];
  const processes = {
    baseline: baseline!,
    baselineTwin: baselineTwin!,
    candidate: candidate!,
    candidateTwin: candidateTwin!,
  };
  const shape = shapeRound(Math.max(...started.map((one) => one.opened.callMs)), performance.now() - start);
  const measured = await measureRound(processes, shape, 1, index, new RandomStream(options.seed, index));
  await Promise.all(started.map((one) => one.close()));
  return toTrace(measured, {
    at,
    elapsedMs: performance.now() - start,
    loadAverage: Number((os.loadavg()[0] ?? 0).toFixed(2)),
  });
}

async function record(env: NodeJS.ProcessEnv): Promise<void> {
  const deps = builtWorker(env);
  let saved = performance.now();
  for (let index = earlier.length; recordedMs < options.minutes * 60_000 && !stop.signal.aborted; index++) {
    const one = await round(index, deps);
    recordedMs += one.elapsedMs;
    mine.rounds.push(one);
    if (process.stderr.isTTY || index % 20 === 0)
      process.stderr.write(
        `\r${out}: ${index + 1} rounds, ${(recordedMs / 60_000).toFixed(1)} of ${options.minutes} min `,
      );
    if (performance.now() - saved < SAVE_EVERY_MS) continue;
    writeTrace(out, [...trace, mine]);
    saved = performance.now();
  }
}

const undo = setCondition(options.condition);
try {
  await withCompileCache(process.env, record);
} finally {
  undo();
  if (mine.rounds.length > 0) writeTrace(out, [...trace, mine]);
}
process.stderr.write("\n");
