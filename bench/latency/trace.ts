import { existsSync, readFileSync } from "node:fs";
import { quantile } from "../../eval/latency/quantile.ts";
import { arms, type Arm, type Block, type Round } from "../../eval/latency/rounds.ts";

/** One round of a recording; all four processes run the same model. Medians in microseconds, which keeps files small. */
export type TraceRound = {
  /** Wall clock at its start. */
  at: string;
  condition: string;
  model: string;
  /** Start of the processes to the end of the round, ms. */
  elapsedMs: number;
  /** Per block the eight medians, arm by arm. */
  blocksUs: number[][];
  /** p50, p95, p99 over each arm's queries. */
  tailsUs: Record<Arm, [number, number, number]>;
  queries: number;
  loadAverage: number;
};

const microseconds = (ms: number) => Number((1000 * ms).toPrecision(6));

export function toTrace(round: Round, facts: Pick<TraceRound, "at" | "condition" | "model" | "elapsedMs" | "loadAverage">): TraceRound {
  return {
    ...facts,
    elapsedMs: Math.round(facts.elapsedMs),
    blocksUs: round.blocks.map((block) => arms.flatMap((arm) => block[arm].map(microseconds))),
    tailsUs: Object.fromEntries(arms.map((arm) => [arm, [0.5, 0.95, 0.99].map((q) => microseconds(quantile(round.queriesMs[arm], q)))])) as TraceRound["tailsUs"],
    queries: round.queriesMs.baseline.length,
  };
}

/** The blocks of a recorded round, with the four processes in the roles `roles` (an order of 0…3) and two of them slower by `slowdown`. */
export function blocksOf(trace: TraceRound, roles: readonly number[], slowdown: number): Block[] {
  return trace.blocksUs.map((block) => {
    const of = (role: number, factor: number) => [factor * (block[2 * (roles[role] as number)] as number) / 1000, factor * (block[2 * (roles[role] as number) + 1] as number) / 1000] as const;
    return { baseline: of(0, 1), baselineTwin: of(1, 1), candidate: of(2, 1 + slowdown), candidateTwin: of(3, 1 + slowdown) };
  });
}

/** The rounds of a recording, in the order of time. A last line that was cut off is left out. */
export function readTrace(file: string): TraceRound[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line) as TraceRound);
}
