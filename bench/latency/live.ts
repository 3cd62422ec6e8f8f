/**
 * Real gates of a model against itself, as it is and with a calibrated spin added to the candidate, one after the other in a
 * mixed order. Resumable: every gate is appended at once, and a second run does what is missing.
 *
 *   node scripts/with-node24.mjs bench/latency/live.ts --condition quiet --same 60 --slower 20
 *   node scripts/with-node24.mjs bench/latency/live.ts --report quiet
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import { contest } from "../../eval/latency/contest.ts";
import { startModelProcess } from "../../eval/latency/model-process.ts";
import { quantile } from "../../eval/latency/quantile.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { arrange } from "./condition.ts";
import { flags } from "./options.ts";
import { tally, tallyLine, type Outcome } from "./tally.ts";

type Gate = Outcome & { at: string; condition: string; model: string; slowdown: number; slowdownMs: number; seed: number; margin: number; ratio: number; low: number | null; high: number | null; aa: number; looks: number; reason: string; loadAverage: number };

const options = flags({ condition: "quiet", same: 60, slower: 20, model: "models/births", rows: "models/births/data/eval.jsonl", margin: 0.015, alpha: 0.05, cap: 120, minutes: 600, out: "", report: "" });
const condition = options.report || options.condition;
const out = options.out || join(".cache/latency", `live-${condition}.jsonl`);
const slowdowns = [0, 0.03, 0.05, 0.1];

const done = (): Gate[] => (existsSync(out) ? readFileSync(out, "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line) as Gate) : []);

/** Which slow-down the next gate needs, the one furthest behind its number first; null when all are done. */
function next(gates: readonly Gate[]): number | null {
  const behind = slowdowns.map((slowdown) => ({ slowdown, share: gates.filter((gate) => gate.slowdown === slowdown).length / (slowdown === 0 ? options.same : options.slower) }));
  const least = behind.toSorted((a, b) => a.share - b.share)[0];
  return least === undefined || least.share >= 1 ? null : least.slowdown;
}

/** The model's p50 in processes of their own, ms: what a slow-down of so many percent is a percentage of. */
async function p50(rows: Record<string, unknown>[]): Promise<number> {
  const medians: number[] = [];
  for (let i = 0; i < 5; i++) {
    const child = await startModelProcess({ modelDir: options.model, rows, warmMs: 400, slowdownMs: 0 });
    medians.push(quantile((await child.turn({ start: 0, batch: 1, lead: 10, budgetMs: 150, atLeast: 20 })).durationsMs, 0.5));
    await child.close();
  }
  return quantile(medians, 0.5);
}

async function run(): Promise<void> {
  const rows = readFileSync(options.rows, "utf8").trim().split("\n").slice(0, 256).map((line) => JSON.parse(line) as Record<string, unknown>);
  mkdirSync(dirname(out), { recursive: true });
  const end = Date.now() + options.minutes * 60_000;
  const undo = arrange(condition);
  try {
    for (let slowdown = next(done()); slowdown !== null && Date.now() < end; slowdown = next(done())) {
      const seed = new RandomStream(1, done().length).next();
      const slowdownMs = slowdown === 0 ? 0 : slowdown * (await p50(rows));
      const question = { quantile: 0.5, kind: "non-inferiority", margin: { relative: options.margin }, alpha: options.alpha } as const;
      const at = new Date().toISOString();
      const outcome = await contest(options.model, options.model, rows, [question], { seed, slowdownMs, capMs: options.cap * 1000 });
      const result = outcome.results[0];
      if (result === undefined) throw new Error("a contest without an answer");
      const gate: Gate = {
        at, condition, model: options.model, slowdown, slowdownMs, seed, margin: options.margin,
        decision: result.decision, seconds: outcome.elapsedMs / 1000, rounds: outcome.rounds.length, looks: result.looks,
        ratio: result.ratio, low: result.interval?.low ?? null, high: result.interval?.high ?? null, aa: outcome.aa.ratio, reason: result.reason, loadAverage: os.loadavg()[0] ?? 0,
      };
      appendFileSync(out, `${JSON.stringify(gate)}\n`);
      console.log(`${(100 * slowdown).toFixed(0)} %: ${gate.decision} in ${gate.seconds.toFixed(0)} s; ${gate.reason}`);
    }
  } finally {
    undo();
  }
}

if (options.report === "") await run();
for (const slowdown of slowdowns) {
  const gates = done().filter((gate) => gate.slowdown === slowdown);
  if (gates.length > 0) console.log(tallyLine(slowdown === 0 ? "A/A" : `slower by ${100 * slowdown} %`, tally(gates)));
}
