import type { TestSummary } from "../../eval/latency/sequential-test.ts";
import { quantile } from "../../eval/stats/quantile.ts";
import { wilson } from "../../eval/stats/wilson.ts";

/** Share that is added to the candidate's latency: nothing (A/A), 3, 5 and 10 %. */
export const slowdowns = [0, 0.03, 0.05, 0.1];

/**
 * Ratio of a tail latency, candidate / baseline, with its interval at the last look. Ends are null when there were too
 * few rounds for an interval.
 */
export type Tail = { quantile: number; ratio: number; low: number | null; high: number | null };

export function tailsOf(ratios: TestSummary["ratios"]): Tail[] {
  return ratios
    .filter((one) => one.quantile !== 0.5)
    .map(({ quantile: q, ratio, interval }) => ({
      quantile: q,
      ratio,
      low: interval?.low ?? null,
      high: interval?.high ?? null,
    }));
}

export type Outcome = { decision: "pass" | "fail" | "inconclusive"; seconds: number; rounds: number; tails: Tail[] };
export type Rate = { count: number; rate: number; low: number; high: number };

/**
 * Rates with 95 % Wilson intervals, times to the verdict, and the quality of the intervals of p95 and p99: how often
 * they contain the true ratio, and how wide they are.
 */
export function tally(outcomes: readonly Outcome[], slowdown: number) {
  const rateOf = (count: number, of: number): Rate => ({ count, rate: count / of, ...wilson(count, of, 0.95) });
  const rate = (decision: Outcome["decision"]) =>
    rateOf(outcomes.filter((one) => one.decision === decision).length, outcomes.length);
  const seconds = outcomes.map((one) => one.seconds);
  return {
    gates: outcomes.length,
    pass: rate("pass"),
    fail: rate("fail"),
    inconclusive: rate("inconclusive"),
    seconds: {
      median: quantile(seconds, 0.5),
      p90: quantile(seconds, 0.9),
      max: seconds.reduce((most, one) => Math.max(most, one), 0),
    },
    roundsMedian: quantile(
      outcomes.map((one) => one.rounds),
      0.5,
    ),
    tails: [0.95, 0.99].map((q) => {
      const bounded = outcomes.flatMap((one) =>
        one.tails.filter((tail) => tail.quantile === q && tail.low !== null),
      ) as { ratio: number; low: number; high: number }[];
      return {
        quantile: q,
        intervals: bounded.length,
        covered:
          bounded.length === 0
            ? null
            : rateOf(
                bounded.filter(({ low, high }) => low <= 1 + slowdown && 1 + slowdown <= high).length,
                bounded.length,
              ),
        halfWidthMedian:
          bounded.length === 0
            ? null
            : quantile(
                bounded.map(({ low, high }) => (high - low) / 2),
                0.5,
              ),
      };
    }),
  };
}

export const percent = (x: number, digits = 2) => `${(100 * x).toFixed(digits)} %`;
export const nameOf = (slowdown: number) => (slowdown === 0 ? "A/A" : `slower by ${(100 * slowdown).toFixed(0)} %`);
export const range = ({ rate, low, high }: Omit<Rate, "count">) =>
  `${percent(rate)} [${percent(low)}, ${percent(high)}]`;

export function tallyLine(slowdown: number, one: ReturnType<typeof tally>): string {
  return `${nameOf(slowdown).padEnd(16)} ${one.gates} gates  PASS ${range(one.pass)}  FAIL ${range(one.fail)}  INCONCLUSIVE ${range(one.inconclusive)}  time ${one.seconds.median.toFixed(0)} s median, ${one.seconds.p90.toFixed(0)} s p90, ${one.seconds.max.toFixed(0)} s max`;
}
