/**
 * Gates drawn as contiguous stretches of what record.ts wrote, each with the four processes in random roles, as they are
 * (A/A) and with a slow-down applied to the candidate's two. The deciding code is the gate's own referee.
 * The same stretches go through the rules of other tools.
 *
 *   node scripts/with-node24.mjs bench/latency/replay.ts --trace .cache/latency/quiet.jsonl --gates 5000
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Question } from "../../eval/latency/decide.ts";
import { quantile } from "../../eval/latency/quantile.ts";
import { referee } from "../../eval/latency/referee.ts";
import type { Round } from "../../eval/latency/rounds.ts";
import { MOST_ROUNDS, planRounds } from "../../eval/latency/schedule.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { wilson } from "../../eval/stats/wilson.ts";
import { flags } from "./options.ts";
import { mannWhitneyAlert, ratioAlert, studentAlert } from "./rules.ts";
import { tally, tallyLine, type Outcome } from "./tally.ts";
import { blocksOf, readTrace, type TraceRound } from "./trace.ts";

const options = flags({ trace: ".cache/latency/quiet.jsonl", gates: 5000, margin: 0.015, alpha: 0.05, cap: 120, seed: 1, out: "" });
const trace = readTrace(options.trace);
const capMs = options.cap * 1000;
const slowdowns = [0, 0.03, 0.05, 0.1];
const question: Question = { quantile: 0.5, kind: "non-inferiority", margin: { relative: options.margin }, alpha: options.alpha };
/** The tails are not replayed: empty queries give them no value and the median does not look at them. */
const noQueries: Round["queriesMs"] = { baseline: new Float64Array(), baselineTwin: new Float64Array(), candidate: new Float64Array(), candidateTwin: new Float64Array() };

/** Where a stretch can begin such that the cap ends it before the recording does. */
const starts = trace.map((_, i) => i).filter((i) => stretch(i) !== null);
if (starts.length === 0) throw new Error(`${options.trace} holds ${trace.length} rounds, less than one gate of ${options.cap} s; record more`);

function stretch(start: number): number | null {
  let sum = 0;
  for (let i = start; i < trace.length; i++) {
    sum += trace[i]?.elapsedMs ?? 0;
    if (sum > capMs || i - start + 1 >= MOST_ROUNDS) return i - start + 1;
  }
  return null;
}

/** One role order for the whole gate would let one bad process decide; a real gate starts fresh ones each round, so roles are drawn each round. */
function replay(start: number, slowdown: number, random: RandomStream): Outcome {
  const judge = referee([question]);
  const rounds: Round[] = [];
  let elapsed = 0;
  let mostRounds = MOST_ROUNDS;
  for (;;) {
    const one = trace[start + rounds.length] as TraceRound;
    rounds.push({ blocks: blocksOf(one, permutation(random), slowdown), queriesMs: noQueries });
    elapsed += one.elapsedMs;
    if (rounds.length <= 2) mostRounds = planRounds(rounds.length, elapsed, one.elapsedMs, capMs);
    const last = rounds.length >= mostRounds || elapsed + elapsed / rounds.length > capMs;
    const standing = judge(rounds, mostRounds, last);
    if (last || !standing.open) {
      const [result] = standing.summary(elapsed).results;
      return { decision: result?.decision ?? "inconclusive", seconds: elapsed / 1000, rounds: rounds.length };
    }
  }
}

function permutation(random: RandomStream): number[] {
  const order = [0, 1, 2, 3];
  for (let i = 3; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

/** One run as other tools see it: one process's median over one round, ms. */
const runValue = (round: TraceRound, arm: number, factor = 1): number => (factor * quantile(round.blocksUs.flatMap((block) => [block[2 * arm] as number, block[2 * arm + 1] as number]), 0.5)) / 1000;
const samples = (round: TraceRound, arm: number, factor = 1): number[] => round.blocksUs.flatMap((block) => [factor * (block[2 * arm] as number), factor * (block[2 * arm + 1] as number)]);

/** Bencher's default history is at most 64 runs; the runs of earlier jobs lie 10 rounds apart. */
const HISTORY = 30;
const APART = 10;

function otherRules(slowdown: number): { name: string; rate: number; low: number; high: number; runs: number }[] {
  const counts = { "ratio 200 % (github-action-benchmark default)": 0, "ratio 115 %": 0, "ratio 103 %": 0, "t-test over 30 runs, boundary 0.98 (Bencher)": 0, "t-test over 30 runs, boundary 0.95 (Bencher)": 0, "Mann-Whitney 5 %, one process each": 0 };
  const random = new RandomStream(options.seed, 999_999);
  const runs = Math.min(options.gates, 20_000);
  const reach = HISTORY;
  if (trace.length < 2 * reach * APART) return [];
  for (let i = 0; i < runs; i++) {
    const at = random.below(trace.length - reach * APART) + reach * APART;
    const round = trace[at] as TraceRound;
    const arm = random.below(4);
    const current = runValue(round, arm, 1 + slowdown);
    const history = Array.from({ length: reach }, (_, k) => runValue(trace[at - (k + 1) * APART] as TraceRound, random.below(4)));
    const previous = history[0] ?? Number.NaN;
    if (ratioAlert(current, previous, 2)) counts["ratio 200 % (github-action-benchmark default)"]++;
    if (ratioAlert(current, previous, 1.15)) counts["ratio 115 %"]++;
    if (ratioAlert(current, previous, 1.03)) counts["ratio 103 %"]++;
    if (studentAlert(current, history, 0.98)) counts["t-test over 30 runs, boundary 0.98 (Bencher)"]++;
    if (studentAlert(current, history, 0.95)) counts["t-test over 30 runs, boundary 0.95 (Bencher)"]++;
    // Same job, baseline first and candidate after it: the neighbouring round.
    if (mannWhitneyAlert(samples(round, arm, 1 + slowdown), samples(trace[at - 1] as TraceRound, random.below(4)), 0.05)) counts["Mann-Whitney 5 %, one process each"]++;
  }
  return Object.entries(counts).map(([name, count]) => ({ name, runs, rate: count / runs, ...wilson(count, runs, 0.95) }));
}

const results = slowdowns.map((slowdown) => {
  const outcomes = Array.from({ length: options.gates }, (_, i) => {
    const random = new RandomStream(options.seed, i);
    return replay(starts[random.below(starts.length)] as number, slowdown, random);
  });
  const ours = tally(outcomes);
  const others = otherRules(slowdown);
  console.log(tallyLine(slowdown === 0 ? "A/A" : `slower by ${100 * slowdown} %`, ours));
  if (others.length === 0) console.log(`    the rules of other tools want a history: ${2 * HISTORY * APART} rounds, there are ${trace.length}`);
  for (const one of others) console.log(`    ${one.name.padEnd(46)} alerts ${(100 * one.rate).toFixed(2)} %`);
  return { slowdown, ours, others };
});
const seconds = trace.reduce((sum, one) => sum + one.elapsedMs, 0) / 1000;
console.log(`${trace.length} rounds, ${(seconds / 60).toFixed(0)} min recorded (${(seconds / options.cap).toFixed(0)} stretches that share nothing: the intervals above treat overlapping gates as independent and are a little too narrow)`);
if (options.out !== "") {
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify({ trace: { rounds: trace.length, seconds, condition: trace[0]?.condition, model: trace[0]?.model }, margin: options.margin, alpha: options.alpha, capSeconds: options.cap, seed: options.seed, results }, null, 2)}\n`);
}
