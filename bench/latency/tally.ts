import { wilson } from "../../eval/stats/wilson.ts";
import { quantile } from "../../eval/latency/quantile.ts";

export type Outcome = { decision: "pass" | "fail" | "inconclusive"; seconds: number; rounds: number };

/** Rates with 95 % Wilson intervals, and times to verdict. */
export function tally(outcomes: readonly Outcome[]) {
  const rate = (decision: Outcome["decision"]) => {
    const count = outcomes.filter((one) => one.decision === decision).length;
    return { count, rate: count / outcomes.length, ...wilson(count, outcomes.length, 0.95) };
  };
  const seconds = outcomes.map((one) => one.seconds);
  return {
    gates: outcomes.length, pass: rate("pass"), fail: rate("fail"), inconclusive: rate("inconclusive"),
    seconds: { median: quantile(seconds, 0.5), p90: quantile(seconds, 0.9), max: Math.max(...seconds) },
    roundsMedian: quantile(outcomes.map((one) => one.rounds), 0.5),
  };
}

const percent = (x: number) => `${(100 * x).toFixed(2)} %`;

export function tallyLine(name: string, one: ReturnType<typeof tally>): string {
  const show = (rate: { rate: number; low: number; high: number }) => `${percent(rate.rate)} (${percent(rate.low)}-${percent(rate.high)})`;
  return `${name.padEnd(28)} ${one.gates} gates  PASS ${show(one.pass)}  FAIL ${show(one.fail)}  INCONCLUSIVE ${show(one.inconclusive)}  time ${one.seconds.median.toFixed(0)} s median, ${one.seconds.p90.toFixed(0)} s p90, ${one.seconds.max.toFixed(0)} s max`;
}
