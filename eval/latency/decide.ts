import type { CheckKind } from "../../models/core/manifest/gates.ts";
import type { Interval } from "../schema/verdict.ts";
import { nominalLevels } from "./boundary.ts";
import { hodgesLehmann } from "./hodges-lehmann.ts";
import { pocockSpending } from "./spending.ts";
import type { Quantile } from "./rounds.ts";

/** A check on the ratio of two latencies, as the contest needs it. */
export type Question = {
  quantile: Quantile;
  kind: Exclude<CheckKind, "limit">;
  /** Fraction of the baseline's latency, or ms. */
  margin: { relative: number } | { ms: number };
  /** One-sided error rate: of a PASS, and equally of a FAIL. */
  alpha: number;
};

export type Decision = "pass" | "fail" | "open";
export type Look = { rounds: number; ratio: number; interval: Interval | null; decision: Decision };

/**
 * The look after `contrasts.length` rounds.
 *
 * The interval is a repeated confidence interval (Jennison and Turnbull, JRSS B 51, 1989): Hodges-Lehmann's at the
 * nominal level of this look. It covers at every look at once with probability 1 - 2·alpha, so it may be read whenever
 * the contest stopped.
 *
 * @param effects log ratio of each round, candidate over baseline
 * @param earlier rounds at which was looked before
 * @param maxRounds how many were planned; `last` says that none will follow, and spends what is left of alpha
 * @param relativeMargin the margin as a fraction of the baseline
 */
export function look(
  question: Question,
  effects: readonly number[],
  earlier: readonly number[],
  maxRounds: number,
  last: boolean,
  relativeMargin: number,
): Look {
  const rounds = effects.length;
  const fractions = [...earlier.map((n) => n / maxRounds), last ? 1 : rounds / maxRounds];
  const nominal = nominalLevel(fractions, question.alpha);
  const { estimate, low, high } = hodgesLehmann(effects, nominal);
  const bounded = Number.isFinite(low) && Number.isFinite(high);
  return {
    rounds,
    ratio: Math.exp(estimate),
    interval: bounded
      ? {
          low: Math.exp(low),
          high: Math.exp(high),
          level: 1 - 2 * question.alpha,
          method: `repeated confidence interval, Hodges-Lehmann over ${rounds} rounds, Pocock-type spending, look ${earlier.length + 1}`,
        }
      : null,
    decision: decideRatio(question.kind, Math.exp(low), Math.exp(high), relativeMargin),
  };
}

const known = new Map<string, number>();

/** The boundary of the last of these looks; kept, because every gate with the same plan asks again. */
function nominalLevel(fractions: readonly number[], alpha: number): number {
  const key = `${alpha} ${fractions.join(" ")}`;
  const level = known.get(key) ?? (nominalLevels(fractions, alpha, pocockSpending).at(-1) as number);
  known.set(key, level);
  return level;
}

/**
 * Lower is better, so with the ratio r = candidate / baseline and its interval (low, high):
 * non-inferiority: pass when high < 1 + margin, fail when low > 1 + margin;
 * superiority: pass when high < 1 - margin, fail when low > 1 - margin;
 * equivalence: pass when 1 - margin < low and high < 1 + margin, fail when the interval lies beyond either end.
 */
export function decideRatio(kind: Question["kind"], low: number, high: number, margin: number): Decision {
  if (kind === "equivalence") {
    if (low > 1 - margin && high < 1 + margin) return "pass";
    return low > 1 + margin || high < 1 - margin ? "fail" : "open";
  }
  const bound = kind === "non-inferiority" ? 1 + margin : 1 - margin;
  if (high < bound) return "pass";
  return low > bound ? "fail" : "open";
}
