/**
 * Draws gates as contiguous stretches of a recording of record-trace.ts, each with the four processes in random roles,
 * unchanged (A/A) and with a slow-down applied to the candidate's two. The gate's own sequential test decides. The same
 * recording goes through the rules of other tools. Writes bench/results/latency/replay-CONDITION.json, for report.ts.
 *
 *   node scripts/with-node24.mjs bench/latency/replay.ts --condition quiet --gates 5000
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { roundContrast } from "../../eval/latency/contrast.ts";
import { quantile } from "../../eval/stats/quantile.ts";
import type { Round } from "../../eval/latency/rounds.ts";
import { MAX_ROUNDS, planRounds } from "../../eval/latency/schedule.ts";
import { sequentialTest, type Question } from "../../eval/latency/sequential-test.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { flags } from "./options.ts";
import { alertsOfOthers, roundsWanted } from "./other-rules.ts";
import { type Replay, replayFile } from "./results.ts";
import { type Outcome, slowdowns, tailsOf, tally, tallyLine } from "./tally.ts";
import { readTrace, replayed, traceFile, type TraceRound } from "./trace.ts";

/** Rounds at which a stretch can begin so that the cap ends it before its sitting ends. */
function stretches(rounds: readonly TraceRound[], capMs: number): number[] {
  return rounds.flatMap((_, start) => {
    let sum = 0;
    for (let i = start; i < rounds.length; i++) {
      sum += (rounds[i] as TraceRound).elapsedMs;
      if (sum > capMs || i - start + 1 >= MAX_ROUNDS) return [start];
    }
    return [];
  });
}

/** Replays one gate. A real gate starts fresh processes each round, so their roles are drawn each round too. */
function gate(
  rounds: readonly TraceRound[],
  start: number,
  slowdown: number,
  question: Question,
  capMs: number,
  random: RandomStream,
): Outcome & { voided: boolean } {
  const test = sequentialTest([question]);
  const seen: Round[] = [];
  let elapsed = 0;
  let maxRounds = MAX_ROUNDS;
  for (;;) {
    const one = rounds[start + seen.length] as TraceRound;
    seen.push(replayed(one, roles(random), slowdown));
    elapsed += one.elapsedMs;
    if (seen.length <= 2) maxRounds = planRounds(seen.length, elapsed, one.elapsedMs, capMs);
    const last = seen.length >= maxRounds || elapsed + elapsed / seen.length > capMs;
    const state = test(seen, maxRounds, last);
    if (!last && state.open) continue;
    const {
      aa,
      results: [result],
      ratios,
    } = state.summary(elapsed);
    return {
      voided: aa.excludesOne,
      decision: result?.decision ?? "inconclusive",
      seconds: elapsed / 1000,
      rounds: seen.length,
      tails: tailsOf(ratios),
    };
  }
}

function roles(random: RandomStream): number[] {
  const order = [0, 1, 2, 3];
  random.shuffle(order);
  return order;
}

function deviation(rounds: readonly TraceRound[]): number {
  const effects = rounds.map((one) => roundContrast(replayed(one, [0, 1, 2, 3], 0), 0.5).effect);
  const middle = quantile(effects, 0.5);
  return (
    1.4826 *
    quantile(
      effects.map((effect) => Math.abs(effect - middle)),
      0.5,
    )
  );
}

const options = flags({
  condition: "quiet",
  trace: "",
  gates: 5000,
  margin: 0.015,
  alpha: 0.05,
  cap: 120,
  seed: 1,
  out: "",
});
const file = options.trace || traceFile(options.condition);
const trace = readTrace(file);
const capMs = options.cap * 1000;
const places = trace.flatMap(({ rounds }) => stretches(rounds, capMs).map((start) => ({ rounds, start })));
const rounds = trace.flatMap((one) => one.rounds);
if (places.length === 0)
  throw new Error(`${file} holds ${rounds.length} rounds, less than one gate of ${options.cap} s; record more`);
const question: Question = {
  quantile: 0.5,
  kind: "non-inferiority",
  margin: { relative: options.margin },
  alpha: options.alpha,
};
const results = slowdowns.map((slowdown) => {
  const outcomes = Array.from({ length: options.gates }, (_, i) => {
    const random = new RandomStream(options.seed, i);
    const place = places[random.below(places.length)] as (typeof places)[number];
    return gate(place.rounds, place.start, slowdown, question, capMs, random);
  });
  const ours = tally(outcomes, slowdown);
  const others = alertsOfOthers(rounds, slowdown, Math.min(options.gates, 20_000), options.seed);
  process.stdout.write(
    `${tallyLine(slowdown, ours)}\n${others.map((one) => `    ${one.name.padEnd(46)} alerts ${(100 * one.rate).toFixed(2)} %\n`).join("")}`,
  );
  return { slowdown, ours, voided: outcomes.filter((one) => one.voided).length, others };
});
if (rounds.length < roundsWanted)
  process.stdout.write(
    `the rules of other tools want ${roundsWanted} rounds of history and runs, there are ${rounds.length}\n`,
  );
const seconds = rounds.reduce((sum, one) => sum + one.elapsedMs, 0) / 1000;
const replay: Replay = {
  schemaVersion: 1,
  condition: options.condition,
  sittings: trace.map((one) => one.sitting),
  rounds: rounds.length,
  seconds: Math.round(seconds),
  margin: options.margin,
  alpha: options.alpha,
  capSeconds: options.cap,
  seed: options.seed,
  roundDeviation: deviation(rounds),
  roundsInCap: Math.min(
    MAX_ROUNDS,
    Math.floor(
      capMs /
        quantile(
          rounds.map((one) => one.elapsedMs),
          0.5,
        ),
    ),
  ),
  results,
};
const out = options.out || replayFile(options.condition);
mkdirSync(dirname(out), { recursive: true });
writeFileSync(
  out,
  `${JSON.stringify(replay, (_, value: unknown) => (typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value), 1)}\n`,
);
