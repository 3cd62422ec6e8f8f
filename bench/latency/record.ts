/**
 * Records raw block timings of a model against itself (all four processes the same), for replay.ts.
 * Resumable: every round is appended at once, and a second run goes on until the file holds `--minutes` of rounds.
 *
 *   node scripts/with-node24.mjs bench/latency/record.ts --condition quiet --minutes 60
 *   node scripts/with-node24.mjs bench/latency/record.ts --condition busy --minutes 60
 */
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import { withCompileCache } from "../../eval/latency/compile-cache.ts";
import { measureRound } from "../../eval/latency/measure-round.ts";
import { startModelProcess } from "../../eval/latency/model-process.ts";
import { arms } from "../../eval/latency/rounds.ts";
import { shapeRound } from "../../eval/latency/schedule.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { arrange } from "./condition.ts";
import { flags } from "./options.ts";
import { readTrace, toTrace } from "./trace.ts";

const options = flags({ condition: "quiet", minutes: 60, model: "models/births", rows: "models/births/data/eval.jsonl", out: "", seed: 1, warm: 400 });
const out = options.out || join(".cache/latency", `${options.condition}.jsonl`);
const rows = readFileSync(options.rows, "utf8").trim().split("\n").slice(0, 256).map((line) => JSON.parse(line) as Record<string, unknown>);
mkdirSync(dirname(out), { recursive: true });
const known = readTrace(out);
let recordedMs = known.reduce((sum, round) => sum + round.elapsedMs, 0);
const undo = arrange(options.condition);
const record = async (env: NodeJS.ProcessEnv) => {
  for (let index = known.length; recordedMs < options.minutes * 60_000; index++) {
    const at = new Date().toISOString();
    const start = performance.now();
    const started = await Promise.all(arms.map(() => startModelProcess({ modelDir: options.model, rows, warmMs: options.warm, slowdownMs: 0 }, { env })));
    const [baseline, baselineTwin, candidate, candidateTwin] = started as [typeof started[0], typeof started[0], typeof started[0], typeof started[0]];
    const processes = { baseline: baseline!, baselineTwin: baselineTwin!, candidate: candidate!, candidateTwin: candidateTwin! };
    const shape = shapeRound(Math.max(...started.map((one) => one.opened.callMs)), performance.now() - start);
    const round = await measureRound(processes, shape, 1, index, new RandomStream(options.seed, index));
    await Promise.all(started.map((one) => one.close()));
    const elapsedMs = performance.now() - start;
    recordedMs += elapsedMs;
    appendFileSync(out, `${JSON.stringify(toTrace(round, { at, condition: options.condition, model: options.model, elapsedMs, loadAverage: os.loadavg()[0] ?? 0 }))}\n`);
    if (process.stderr.isTTY || index % 20 === 0) process.stderr.write(`\r${out}: ${index + 1} rounds, ${(recordedMs / 60_000).toFixed(1)} of ${options.minutes} min `);
  }
};
try {
  await withCompileCache(process.env, record);
} finally {
  undo();
}
process.stderr.write("\n");
