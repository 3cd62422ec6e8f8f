/**
 * Runs real gates of a model against itself, unchanged and with a calibrated busy wait added to the candidate, one
 * after the other in a mixed order. Resumable: each gate is appended at once to
 * bench/results/latency/live/CONDITION.jsonl, and the next run does what is missing. report.ts makes a page of them.
 *
 *   node scripts/with-node24.mjs bench/latency/live.ts --condition quiet --same 60 --slower 20
 */
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import os from "node:os";
import { dirname } from "node:path";
import { compareLatency } from "../../eval/latency/latency-comparison.ts";
import { startModelProcess } from "../../eval/latency/model-process.ts";
import { quantile } from "../../eval/stats/quantile.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { builtWorker } from "./built-worker.ts";
import { setCondition } from "./condition.ts";
import { flags } from "./options.ts";
import { type LiveGate, liveFile, readGates } from "./results.ts";
import { nameOf, slowdowns, tally, tallyLine, tailsOf } from "./tally.ts";

const options = flags({
  condition: "quiet",
  same: 60,
  slower: 20,
  model: "models/births",
  rows: "models/births/data/eval.jsonl",
  margin: 0.015,
  alpha: 0.05,
  cap: 120,
  minutes: 600,
  out: "",
});
const { condition } = options;
const deps = builtWorker(process.env);
const out = options.out || liveFile(condition);

/** The slow-down for the next gate: the one furthest behind its number. Null when all are done. */
function next(gates: readonly LiveGate[]): number | null {
  const behind = slowdowns.map((slowdown) => ({
    slowdown,
    share: gates.filter((gate) => gate.slowdown === slowdown).length / (slowdown === 0 ? options.same : options.slower),
  }));
  const least = behind.toSorted((a, b) => a.share - b.share)[0];
  return least === undefined || least.share >= 1 ? null : least.slowdown;
}

/** The model's p50 in separate processes, ms. A slow-down in percent refers to this. */
async function p50(rows: Record<string, unknown>[]): Promise<number> {
  const medians: number[] = [];
  for (let i = 0; i < 5; i++) {
    const child = await startModelProcess({ modelDir: options.model, rows, warmMs: 400, slowdownMs: 0 }, deps);
    medians.push(
      quantile((await child.turn({ start: 0, batch: 1, lead: 10, budgetMs: 150, atLeast: 20 })).durationsMs, 0.5),
    );
    await child.close();
  }
  return quantile(medians, 0.5);
}

async function runGate(rows: Record<string, unknown>[], slowdown: number, number: number): Promise<LiveGate> {
  const seed = new RandomStream(1, number).next();
  const slowdownMs = slowdown === 0 ? 0 : slowdown * (await p50(rows));
  const at = new Date().toISOString();
  const question = {
    quantile: 0.5,
    kind: "non-inferiority",
    margin: { relative: options.margin },
    alpha: options.alpha,
  } as const;
  const comparison = await compareLatency(
    options.model,
    options.model,
    rows,
    [question],
    { seed, slowdownMs, capMs: options.cap * 1000 },
    deps,
  );
  const [result] = comparison.results;
  if (result === undefined) throw new Error("a comparison without an answer");
  return {
    at,
    condition,
    model: options.model,
    slowdown,
    slowdownMs,
    seed,
    margin: options.margin,
    capSeconds: options.cap,
    decision: result.decision,
    seconds: comparison.elapsedMs / 1000,
    rounds: comparison.rounds.length,
    looks: result.looks,
    ratio: result.ratio,
    low: result.interval?.low ?? null,
    high: result.interval?.high ?? null,
    tails: tailsOf(comparison.ratios),
    aa: comparison.aa.ratio,
    reason: result.reason,
    loadAverage: os.loadavg()[0] ?? 0,
    cpu: os.cpus()[0]?.model.trim() ?? "",
    cores: os.availableParallelism(),
  };
}

const rows = readFileSync(options.rows, "utf8")
  .trim()
  .split("\n")
  .slice(0, 256)
  .map((line) => JSON.parse(line) as Record<string, unknown>);
mkdirSync(dirname(out), { recursive: true });
const end = Date.now() + options.minutes * 60_000;
const undo = setCondition(condition);
try {
  for (let gates = readGates(out); Date.now() < end; gates = readGates(out)) {
    const slowdown = next(gates);
    if (slowdown === null) break;
    const gate = await runGate(rows, slowdown, gates.length);
    appendFileSync(out, `${JSON.stringify(gate)}\n`);
    process.stdout.write(`${nameOf(slowdown)}: ${gate.decision} in ${gate.seconds.toFixed(0)} s; ${gate.reason}\n`);
  }
} finally {
  undo();
}
for (const slowdown of slowdowns) {
  const gates = readGates(out).filter((gate) => gate.slowdown === slowdown);
  if (gates.length > 0) process.stdout.write(`${tallyLine(slowdown, tally(gates, slowdown))}\n`);
}
