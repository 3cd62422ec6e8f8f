import { quantile } from "../../eval/stats/quantile.ts";
import { RandomStream } from "../../eval/stats/random.ts";
import { wilson } from "../../eval/stats/wilson.ts";
import { mannWhitneyAlert, ratioAlert, studentAlert } from "./rules.ts";
import type { TraceRound } from "./trace.ts";

/** How often another tool's rule alerts, with a 95 % Wilson interval. */
export type Alerts = { name: string; runs: number; count: number; rate: number; low: number; high: number };

/** Bencher keeps at most 64 runs by default. Here the runs of earlier jobs are 10 rounds apart. */
const HISTORY = 30;
const APART = 10;
/** Twice as many rounds as the history needs, so that the runs do not all share one history. */
export const roundsWanted = 2 * HISTORY * APART;

/** One run as other tools see it: the calls of one process in one round. */
const turnsOf = (round: TraceRound, arm: number, factor = 1): number[] =>
  round.blocksUs.flatMap((block) => [factor * (block[2 * arm] as number), factor * (block[2 * arm + 1] as number)]);
const valueOf = (round: TraceRound, arm: number, factor = 1): number => quantile(turnsOf(round, arm, factor), 0.5);

type Run = { current: number; history: number[]; turns: number[]; before: number[] };
const rules: Record<string, (run: Run) => boolean> = {
  "ratio 200 % (github-action-benchmark's default)": ({ current, history }) =>
    ratioAlert(current, history[0] as number, 2),
  "ratio 115 %": ({ current, history }) => ratioAlert(current, history[0] as number, 1.15),
  "ratio 103 %": ({ current, history }) => ratioAlert(current, history[0] as number, 1.03),
  "t-test over 30 runs, boundary 0.98 (Bencher)": ({ current, history }) => studentAlert(current, history, 0.98),
  "t-test over 30 runs, boundary 0.95 (Bencher)": ({ current, history }) => studentAlert(current, history, 0.95),
  "Mann-Whitney 5 %, one process each": ({ turns, before }) => mannWhitneyAlert(turns, before, 0.05),
};

/**
 * Applies the rules of other tools to the recording, whose rounds stand for earlier jobs and this one. The candidate is
 * one process, slower by `slowdown`. Ratio and t-test compare its median with the medians of earlier jobs. Mann-Whitney
 * compares its turns with those of a baseline that the same job ran just before (the previous round). Empty when the
 * recording is shorter than `roundsWanted`.
 */
export function alertsOfOthers(rounds: readonly TraceRound[], slowdown: number, runs: number, seed: number): Alerts[] {
  if (rounds.length < roundsWanted) return [];
  const random = new RandomStream(seed, 999_999);
  const counts = new Map(Object.keys(rules).map((name) => [name, 0]));
  const values = rounds.map((round) => [0, 1, 2, 3].map((arm) => valueOf(round, arm)));
  for (let i = 0; i < runs; i++) {
    const at = random.below(rounds.length - HISTORY * APART) + HISTORY * APART;
    const arm = random.below(4);
    const run: Run = {
      current: (1 + slowdown) * (values[at]?.[arm] as number),
      history: Array.from({ length: HISTORY }, (_, k) => values[at - (k + 1) * APART]?.[random.below(4)] as number),
      turns: turnsOf(rounds[at] as TraceRound, arm, 1 + slowdown),
      before: turnsOf(rounds[at - 1] as TraceRound, random.below(4)),
    };
    for (const [name, alerts] of Object.entries(rules))
      if (alerts(run)) counts.set(name, (counts.get(name) as number) + 1);
  }
  return [...counts].map(([name, count]) => ({ name, runs, count, rate: count / runs, ...wilson(count, runs, 0.95) }));
}
