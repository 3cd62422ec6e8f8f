import { z } from "zod";
import type { RolloutMetrics } from "../../../models/core/rollout/settings.ts";
import type { RolloutEvidence } from "../../../models/core/rollout/status.ts";
import { gridShares, logCapital } from "../../../eval/stats/sequential/betting-capital.ts";
import {
  type CanaryEvidence,
  differencesSeen,
  provesBad,
  provesGood,
  startCanaryEvidence,
} from "../../../eval/stats/sequential/canary-evidence.ts";

/** In a shadow both versions answer the same row; in a canary each row is answered by one. */
export type Phase = "shadow" | "canary";

export type Phases = Record<Phase, CanaryEvidence[]>;

export const eventMetric = (name: string): string => `event ${name}`;

/** New evidence on everything that each phase can see. */
export function startPhases(metrics: RolloutMetrics, alpha: number): Phases {
  const start = (names: readonly (readonly [string, { margin: number } | undefined])[]) =>
    names.flatMap(([name, given]) => (given === undefined ? [] : [startCanaryEvidence(name, given.margin, alpha)]));
  const { errors, latency, agreement, labels, events } = metrics;
  return {
    shadow: start([
      ["errors", errors],
      ["latency", latency],
      ["agreement", agreement],
      ["labels", labels],
    ]),
    canary: start([
      ["errors", errors],
      ["latency", latency],
      ["labels", labels],
      ...Object.entries(events).map(([name, event]) => [eventMetric(name), event] as const),
    ]),
  };
}

const side = z.object({
  plugIn: z.number(),
  grid: z.array(z.number()).length(gridShares.length),
  peak: z.number().nonnegative(),
});
const evidence = z.object({
  metric: z.string(),
  margin: z.number().gt(-1).lt(1),
  capital: z.object({
    mean: z.number().gt(0).lt(1),
    errorRate: z.number().gt(0).lt(1),
    moments: z.object({
      count: z.int().nonnegative(),
      sum: z.number().nonnegative(),
      squares: z.number().nonnegative(),
    }),
    above: side,
    below: side,
  }),
});
export const phasesSchema = z.object({ shadow: z.array(evidence), canary: z.array(evidence) });

/** Whether handed-back evidence is on the same metrics, margins and alpha. */
export function samePhases(a: Phases, b: Phases): boolean {
  const facts = (of: Phases) =>
    JSON.stringify(
      [of.shadow, of.canary].map((all) =>
        all.map(({ metric, margin, capital: { mean, errorRate } }) => [metric, margin, mean, errorRate]),
      ),
    );
  return facts(a) === facts(b);
}

/** The evidence in figures for people. `abortAlpha` is what one metric has to prove to end the roll-out. */
export function describeEvidence(
  phase: Phase,
  one: CanaryEvidence,
  alpha: number,
  abortAlpha: number,
): RolloutEvidence {
  const { moments, above, below } = one.capital;
  const rounded = (value: number): number => Number(value.toPrecision(6));
  return {
    phase,
    metric: one.metric,
    margin: one.margin,
    differences: differencesSeen(one),
    mean: moments.count === 0 ? null : rounded((2 * moments.sum) / moments.count - 1),
    for: rounded(logCapital(above) / Math.log(1 / alpha)),
    against: rounded(logCapital(below) / Math.log(1 / abortAlpha)),
    proved: provesBad(one, abortAlpha) ? "bad" : provesGood(one, alpha) ? "good" : null,
  };
}
