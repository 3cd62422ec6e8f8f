import type { Interval } from "../schema/verdict.ts";
import { decideComparison, type Comparison, type Outcome } from "../stats/decide.ts";
import { quantileOfSorted } from "../stats/quantile.ts";
import { roundContrast, type Contrast } from "./contrast.ts";
import { nominalLevels, pocockSpending } from "./group-sequential-boundary.ts";
import { hodgesLehmann } from "./hodges-lehmann.ts";
import { queriesNeeded } from "./queries-needed.ts";
import type { Arm, Quantile, Round } from "./rounds.ts";
import { selfComparison, type SelfComparison } from "./self-check.ts";

/** A check on the ratio of two latencies. */
export type Question = {
  quantile: Quantile;
  kind: Comparison;
  /** Fraction of the baseline's latency, or ms. */
  margin: { relative: number } | { ms: number };
  /** One-sided error rate, of a PASS and of a FAIL alike. */
  alpha: number;
};

/** The answer to one question, with all that a judge or a reader needs. */
export type TestResult = {
  question: Question;
  /** Candidate / baseline latency at the question's quantile: 1.03 is 3 % slower. */
  ratio: number;
  /**
   * Interval of the ratio at level 1 - 2·alpha, valid at whichever look the test stopped; null when there were too few
   * rounds for one.
   */
  interval: Interval | null;
  /** The margin as a fraction of the baseline. */
  relativeMargin: number;
  /**
   * The baseline's latency at the question's quantile, over the analysed rounds. It converts the ratio to ms, and a
   * margin in ms to a ratio.
   */
  baselineMs: number;
  decision: Outcome;
  reason: string;
  /** Rounds of fresh processes that the ratio rests on. */
  rounds: number;
  /** Interim looks at the data, the last one included. */
  looks: number;
};

/** Where a quantile stands among the percentiles. */
export const percentileField = { 0.5: "p50Ms", 0.95: "p95Ms", 0.99: "p99Ms" } as const;

type Percentiles = { p50Ms: number; p95Ms: number; p99Ms: number; queries: number };

/** The result of a sequential test when no further round follows. */
export type TestSummary = {
  results: TestResult[];
  /** Ratio of each quantile with its interval after the last round, whether or not it was enough to decide. */
  ratios: { quantile: Quantile; ratio: number; interval: Interval | null; queriesNeeded: number | null }[];
  /** Each model against its own second process; `excludesOne` voids every decision. */
  aa: SelfComparison;
  candidate: Percentiles;
  baseline: Percentiles;
};

/** State of a test: whether another round is needed, and the summary if none follows. */
export type InterimState = { open: boolean; summary: (elapsedMs: number) => TestSummary };

/** With fewer rounds than this no signed-rank interval is narrow enough to decide: 2^-7 < 0.01. */
const firstInterimRound = 7;

/**
 * After how many rounds the data is looked at: after the seventh, then each time about a quarter later than before, and
 * last at `maxRounds`. Seven rounds or fewer give a single look, at the end.
 */
export function interimRounds(maxRounds: number): number[] {
  const looks: number[] = [];
  for (let next = firstInterimRound; next < maxRounds; next = Math.max(next + 2, Math.round(next * 1.25)))
    looks.push(next);
  return [...looks, maxRounds];
}

/**
 * A group-sequential test of latency ratios. It uses no processes or clocks, so the same rounds give the same answers,
 * live or from a recording. Call the returned function after every round. It analyses the data only when a look is due,
 * or when `last` says that no round follows.
 */
export function sequentialTest(
  questions: readonly Question[],
): (rounds: readonly Round[], maxRounds: number, last: boolean) => InterimState {
  const contrasts: Record<Quantile, Contrast[]> = { 0.5: [], 0.95: [], 0.99: [] };
  const stopped = new Map<number, InterimResult>();
  const looks: number[] = [];
  return (rounds, maxRounds, last) => {
    for (const q of [0.5, 0.95, 0.99] as const) {
      for (const round of rounds.slice(contrasts[q].length)) contrasts[q].push(roundContrast(round, q));
    }
    const earlier = [...looks];
    const effectsOf = (q: Quantile) => contrasts[q].map((one) => one.effect);
    const analyse = (question: Question): InterimResult => {
      const baselineMs = percentilesOf(rounds, ["baseline", "baselineTwin"])[percentileField[question.quantile]];
      const relativeMargin = "relative" in question.margin ? question.margin.relative : question.margin.ms / baselineMs;
      const analysis = interimAnalysis(
        question,
        effectsOf(question.quantile),
        earlier,
        maxRounds,
        last,
        relativeMargin,
      );
      return { ...analysis, looks: earlier.length + 1, relativeMargin, baselineMs };
    };
    const due = last || interimRounds(maxRounds).includes(rounds.length);
    const latest = questions.map((question, i) => stopped.get(i) ?? (due ? analyse(question) : null));
    latest.forEach((one, i) => {
      if (one !== null && one.decision !== "inconclusive" && enoughQueries(rounds, questions[i] as Question))
        stopped.set(i, one);
    });
    if (due) looks.push(rounds.length);
    return {
      open: questions.some((_, i) => !stopped.has(i)),
      summary: (elapsedMs) => {
        const aa = selfComparison(contrasts[0.5]);
        return {
          aa,
          results: questions.map((question, i) =>
            resultOf(question, latest[i] ?? analyse(question), stopped.has(i), aa, rounds, elapsedMs),
          ),
          ratios: ([0.5, 0.95, 0.99] as const).map((q) => {
            const { ratio, interval } = interimAnalysis(
              { quantile: q, kind: "non-inferiority", margin: { relative: 0 }, alpha: questions[0]?.alpha ?? 0.05 },
              effectsOf(q),
              earlier,
              maxRounds,
              true,
              0,
            );
            return { quantile: q, ratio, interval, queriesNeeded: q === 0.5 ? null : queriesNeeded(q) };
          }),
          candidate: percentilesOf(rounds, ["candidate", "candidateTwin"]),
          baseline: percentilesOf(rounds, ["baseline", "baselineTwin"]),
        };
      },
    };
  };
}

type InterimAnalysis = { rounds: number; ratio: number; interval: Interval | null; decision: Outcome };

/** An analysis with the margin that it used, and the number of looks, this one included. */
type InterimResult = InterimAnalysis & { looks: number; relativeMargin: number; baselineMs: number };

/**
 * The analysis after `effects.length` rounds.
 *
 * The interval is a repeated confidence interval (Jennison and Turnbull, JRSS B 51, 1989): Hodges-Lehmann's at the
 * nominal level of this look. It covers at all looks at once with probability 1 - 2·alpha, so it may be read whenever
 * the test stopped. The decision rule is that of every other comparison (eval/stats/decide.ts), on ratio - 1: lower is
 * better.
 *
 * @param effects log ratio of each round, candidate over baseline
 * @param earlier numbers of rounds at the earlier looks
 * @param maxRounds how many were planned; `last` says that none will follow, and spends what is left of alpha
 * @param relativeMargin the margin as a fraction of the baseline
 */
function interimAnalysis(
  question: Question,
  effects: readonly number[],
  earlier: readonly number[],
  maxRounds: number,
  last: boolean,
  relativeMargin: number,
): InterimAnalysis {
  const rounds = effects.length;
  const fractions = [...earlier.map((n) => n / maxRounds), last ? 1 : rounds / maxRounds];
  const logs = hodgesLehmann(effects, nominalLevel(fractions, question.alpha));
  const bounded = Number.isFinite(logs.low) && Number.isFinite(logs.high);
  const [low, high] = [Math.exp(logs.low), Math.exp(logs.high)];
  return {
    rounds,
    ratio: Math.exp(logs.estimate),
    interval: bounded
      ? {
          low,
          high,
          level: 1 - 2 * question.alpha,
          method: `repeated confidence interval, Hodges-Lehmann over ${rounds} rounds, Pocock-type spending, look ${earlier.length + 1}`,
        }
      : null,
    decision: decideComparison(question.kind, { low: low - 1, high: high - 1 }, relativeMargin, "lower"),
  };
}

const knownLevels = new Map<string, number>();

/** The boundary at the last of these looks. It is cached, because every test with the same plan asks for it again. */
function nominalLevel(fractions: readonly number[], alpha: number): number {
  const key = `${alpha} ${fractions.join(" ")}`;
  const level = knownLevels.get(key) ?? (nominalLevels(fractions, alpha, pocockSpending).at(-1) as number);
  knownLevels.set(key, level);
  return level;
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

function percentilesOf(rounds: readonly Round[], two: readonly Arm[]): Percentiles {
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

/** @param mayDecide whether the test stopped on this analysis: a tail may not decide before there are enough queries */
function resultOf(
  question: Question,
  analysis: InterimResult,
  mayDecide: boolean,
  aa: SelfComparison,
  rounds: readonly Round[],
  elapsedMs: number,
): TestResult {
  const { ratio, interval, relativeMargin, baselineMs, looks } = analysis;
  const name = `p${100 * question.quantile}`;
  const measured = `${name} ${change(ratio)}${interval === null ? "" : ` (${change(interval.low)} to ${change(interval.high)})`} after ${analysis.rounds} rounds`;
  const decisionAndReason = (): [Outcome, string] => {
    if (aa.excludesOne)
      return [
        "inconclusive",
        `this runner is too noisy: the same model against itself differs by ${change(aa.ratio)} (${change(aa.interval?.low ?? Number.NaN)} to ${change(aa.interval?.high ?? Number.NaN)})`,
      ];
    if (analysis.decision !== "inconclusive")
      return mayDecide
        ? [analysis.decision, `${measured}; margin ${percent(relativeMargin)}`]
        : [
            "inconclusive",
            `${name} needs ${queriesNeeded(question.quantile)} queries per model before it may decide, there are ${queriesOf(rounds, ["candidate", "candidateTwin"])}`,
          ];
    const why =
      interval === null
        ? `${analysis.rounds} rounds in ${(elapsedMs / 1000).toFixed(0)} s are too few for an interval; give it more time`
        : `this runner is too noisy for a margin of ${percent(relativeMargin)}: ± ${percent((interval.high - interval.low) / 2)} is as close as ${(elapsedMs / 1000).toFixed(0)} s came`;
    return ["inconclusive", `${measured}; ${why}`];
  };
  const [decision, reason] = decisionAndReason();
  return { question, ratio, interval, relativeMargin, baselineMs, decision, reason, rounds: analysis.rounds, looks };
}
