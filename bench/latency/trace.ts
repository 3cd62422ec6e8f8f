import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { quantile } from "../../eval/stats/quantile.ts";
import { arms, type Block, type Round } from "../../eval/latency/rounds.ts";

export const traceFile = (condition: string) => `bench/results/latency/traces/${condition}.jsonl.gz`;

/**
 * Facts that hold for all rounds of one sitting. A recording may continue in another sitting, perhaps on another
 * machine, so a gate never spans two.
 */
export type Sitting = {
  condition: string;
  model: string;
  modelSha256: string;
  cpu: string;
  cores: number;
  node: string;
  onnxruntime: string;
};

/** One round of a recording; all four processes run the same model. */
export type TraceRound = {
  /** Wall clock at its start. */
  at: string;
  /** From the start of the processes to the end of the round, ms. */
  elapsedMs: number;
  loadAverage: number;
  /** Number of timed calls of each process. */
  queries: number;
  /** p50, p95, p99 of each arm's calls, arm by arm, in microseconds. */
  tailsUs: number[];
  /** The eight medians of each block, arm by arm, in microseconds. */
  blocksUs: number[][];
};
export type Trace = { sitting: Sitting; rounds: TraceRound[] }[];

/** Five digits: a hundredth of a percent, far finer than the median of a turn is reliable. */
const microseconds = (ms: number) => Number((1000 * ms).toPrecision(5));
const tails = [0.5, 0.95, 0.99] as const;

export function toTrace(round: Round, facts: Pick<TraceRound, "at" | "elapsedMs" | "loadAverage">): TraceRound {
  return {
    ...facts,
    elapsedMs: Math.round(facts.elapsedMs),
    queries: round.queriesMs.baseline.length,
    tailsUs: arms.flatMap((arm) => tails.map((q) => microseconds(quantile(round.queriesMs[arm], q)))),
    blocksUs: round.blocks.map((block) => arms.flatMap((arm) => block[arm].map(microseconds))),
  };
}

/**
 * A recorded round in the form that the gate's sequential test takes. Its four processes play the roles `roles` (an
 * order of 0…3), and the candidate's two are slower by `slowdown`. The recording holds three quantiles of each
 * process's calls; 101 values with exactly these quantiles stand in for the calls.
 */
export function replayed(one: TraceRound, roles: readonly number[], slowdown: number): Round {
  const factor = (role: number) => (role < 2 ? 1 : 1 + slowdown) / 1000;
  const turns = (block: readonly number[], role: number) =>
    [
      factor(role) * (block[2 * (roles[role] as number)] as number),
      factor(role) * (block[2 * (roles[role] as number) + 1] as number),
    ] as const;
  const calls = (role: number) => {
    const [p50, p95, p99] = tails.map(
      (_, k) => factor(role) * (one.tailsUs[tails.length * (roles[role] as number) + k] as number),
    ) as [number, number, number];
    return Float64Array.from({ length: 101 }, (_, rank) => (rank <= 50 ? p50 : rank <= 95 ? p95 : p99));
  };
  return {
    blocks: one.blocksUs.map((block): Block => ({
      baseline: turns(block, 0),
      baselineTwin: turns(block, 1),
      candidate: turns(block, 2),
      candidateTwin: turns(block, 3),
    })),
    queriesMs: { baseline: calls(0), baselineTwin: calls(1), candidate: calls(2), candidateTwin: calls(3) },
  };
}

type Line =
  | { sitting: Sitting }
  | [at: string, elapsedMs: number, loadAverage: number, queries: number, tailsUs: number[], blocksUs: number[][]];

/** The sittings of a recording in order of time; empty when there is no file. */
export function readTrace(file: string): Trace {
  if (!existsSync(file)) return [];
  const trace: Trace = [];
  for (const text of gunzipSync(readFileSync(file)).toString("utf8").split("\n")) {
    if (text === "") continue;
    const line = JSON.parse(text) as Line;
    if (!Array.isArray(line)) trace.push({ sitting: line.sitting, rounds: [] });
    else {
      const [at, elapsedMs, loadAverage, queries, tailsUs, blocksUs] = line;
      trace.at(-1)?.rounds.push({ at, elapsedMs, loadAverage, queries, tailsUs, blocksUs });
    }
  }
  return trace;
}

/** Writes gzipped JSON Lines, one line per sitting and per round, atomically. */
export function writeTrace(file: string, trace: Trace): void {
  const lines = trace.flatMap(({ sitting, rounds }): Line[] => [
    { sitting },
    ...rounds.map((one): Line => [one.at, one.elapsedMs, one.loadAverage, one.queries, one.tailsUs, one.blocksUs]),
  ]);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.part`, gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), { level: 9 }));
  renameSync(`${file}.part`, file);
}
