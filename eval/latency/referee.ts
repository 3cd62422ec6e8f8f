import type { Contest, ContestResult, Percentiles } from "./contest-result.ts";
import { roundContrast, type Contrast } from "./contrast.ts";
import { look, type Look, type Question } from "./decide.ts";
import { quantileOfSorted } from "./quantile.ts";
import { queriesNeeded } from "./queries-needed.ts";
import type { Arm, Quantile, Round } from "./rounds.ts";
import { lookRounds } from "./schedule.ts";
import { selfComparison } from "./self-check.ts";

export type Summary = Pick<Contest, "results" | "ratios" | "aa" | "candidate" | "baseline">;

/** Where a contest stands: whether another round is needed, and what can be said when none follows. */
export type Standing = { open: boolean; summary: (elapsedMs: number) => Summary };

/**
 * `at` with the margin that it was held against, the latency that made it a fraction, and how many looks there were,
 * this one included.
 */
type Glance = { at: Look; looks: number; relativeMargin: number; baselineMs: number };

/**
 * The deciding half of a contest, without processes or clocks: the same rounds give the same answers, live or from a
 * recording. Call it after every round; it looks only when a look is due, or when `last` says that no round follows.
 */
export function referee(
  questions: readonly Question[],
): (rounds: readonly Round[], maxRounds: number, last: boolean) => Standing {
  const contrasts: Record<Quantile, Contrast[]> = { 0.5: [], 0.95: [], 0.99: [] };
  const decided = new Map<number, Glance>();
  const looked: number[] = [];
  return (rounds, maxRounds, last) => {
    for (const q of [0.5, 0.95, 0.99] as const) {
      for (const round of rounds.slice(contrasts[q].length)) contrasts[q].push(roundContrast(round, q));
    }
    const baselineMs = (q: Quantile) =>
      percentiles(rounds, ["baseline", "baselineTwin"])[q === 0.5 ? "p50Ms" : q === 0.95 ? "p95Ms" : "p99Ms"];
    const before = [...looked];
    const glance = (question: Question): Glance => {
      const baseMs = baselineMs(question.quantile);
      const relativeMargin = "relative" in question.margin ? question.margin.relative : question.margin.ms / baseMs;
      return {
        at: look(
          question,
          contrasts[question.quantile].map((one) => one.effect),
          before,
          maxRounds,
          last,
          relativeMargin,
        ),
        looks: before.length + 1,
        relativeMargin,
        baselineMs: baseMs,
      };
    };
    const due = last || lookRounds(maxRounds).includes(rounds.length);
    const latest = questions.map((question, i) => decided.get(i) ?? (due ? glance(question) : null));
    latest.forEach((one, i) => {
      if (one !== null && one.at.decision !== "open" && enoughQueries(rounds, questions[i] as Question))
        decided.set(i, one);
    });
    if (due) looked.push(rounds.length);
    return {
      open: questions.some((_, i) => !decided.has(i)),
      summary: (elapsedMs) => {
        const aa = selfComparison(contrasts[0.5]);
        return {
          aa,
          results: questions.map((question, i) =>
            result(question, latest[i] ?? glance(question), decided.has(i), aa, rounds, elapsedMs),
          ),
          ratios: ([0.5, 0.95, 0.99] as const).map((q) => {
            const { ratio, interval } = look(
              { quantile: q, kind: "non-inferiority", margin: { relative: 0 }, alpha: questions[0]?.alpha ?? 0.05 },
              contrasts[q].map((one) => one.effect),
              before,
              maxRounds,
              true,
              0,
            );
            return { quantile: q, ratio, interval, queriesNeeded: q === 0.5 ? null : queriesNeeded(q) };
          }),
          candidate: percentiles(rounds, ["candidate", "candidateTwin"]),
          baseline: percentiles(rounds, ["baseline", "baselineTwin"]),
        };
      },
    };
  };
}

const queriesOf = (rounds: readonly Round[], two: readonly Arm[]): number =>
  rounds.reduce((sum, round) => sum + two.reduce((s, arm) => s + round.queriesMs[arm].length, 0), 0);

function enoughQueries(rounds: readonly Round[], question: Question): boolean {
  return (
    question.quantile === 0.5 ||
    Math.min(queriesOf(rounds, ["candidate", "candidateTwin"]), queriesOf(rounds, ["baseline", "baselineTwin"])) >=
      queriesNeeded(question.quantile)
  );
}

function percentiles(rounds: readonly Round[], two: readonly Arm[]): Percentiles {
  const all = new Float64Array(queriesOf(rounds, two));
  let at = 0;
  for (const round of rounds)
    for (const arm of two) {
      all.set(round.queriesMs[arm], at);
      at += round.queriesMs[arm].length;
    }
  all.sort();
  return {
    p50Ms: quantileOfSorted(all, 0.5),
    p95Ms: quantileOfSorted(all, 0.95),
    p99Ms: quantileOfSorted(all, 0.99),
    queries: all.length,
  };
}

const percent = (x: number) => `${(100 * x).toFixed(2)} %`;
const change = (ratio: number) => `${ratio >= 1 ? "+" : ""}${percent(ratio - 1)}`;

function result(
  question: Question,
  { at, looks, relativeMargin, baselineMs }: Glance,
  isDecided: boolean,
  aa: Contest["aa"],
  rounds: readonly Round[],
  elapsedMs: number,
): ContestResult {
  const name = `p${100 * question.quantile}`;
  const measured = `${name} ${change(at.ratio)}${at.interval === null ? "" : ` (${change(at.interval.low)} to ${change(at.interval.high)})`} after ${at.rounds} rounds`;
  const say = (): [ContestResult["decision"], string] => {
    if (aa.excludesOne)
      return [
        "inconclusive",
        `this runner is too noisy: the same model against itself differs by ${change(aa.ratio)} (${change(aa.interval?.low ?? Number.NaN)} to ${change(aa.interval?.high ?? Number.NaN)})`,
      ];
    if (isDecided && at.decision !== "open") return [at.decision, `${measured}; margin ${percent(relativeMargin)}`];
    if (at.decision !== "open")
      return [
        "inconclusive",
        `${name} needs ${queriesNeeded(question.quantile)} queries per model before it may decide, there are ${queriesOf(rounds, ["candidate", "candidateTwin"])}`,
      ];
    const why =
      at.interval === null
        ? `${at.rounds} rounds in ${(elapsedMs / 1000).toFixed(0)} s are too few for an interval; give it more time`
        : `this runner is too noisy for a margin of ${percent(relativeMargin)}: ± ${percent((at.interval.high - at.interval.low) / 2)} is as close as ${(elapsedMs / 1000).toFixed(0)} s came`;
    return ["inconclusive", `${measured}; ${why}`];
  };
  const [decision, reason] = say();
  return {
    question,
    ratio: at.ratio,
    interval: at.interval,
    relativeMargin,
    baselineMs,
    decision,
    reason,
    rounds: at.rounds,
    looks,
  };
}
