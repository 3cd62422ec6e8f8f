import type { Interval } from "../schema/verdict.ts";
import type { Question } from "./decide.ts";
import type { MeasuredRound, Quantile } from "./rounds.ts";

export type Percentiles = { p50Ms: number; p95Ms: number; p99Ms: number; queries: number };

/** The answer to one question; all a judge or a reader needs. */
export type ContestResult = {
  question: Question;
  /** Candidate / baseline latency at the question's quantile: 1.03 is 3 % slower. */
  ratio: number;
  /**
   * Of the ratio, at level 1 - 2·alpha, valid at whichever look it stopped; null when there were too few rounds for
   * one.
   */
  interval: Interval | null;
  /** The margin as a fraction of the baseline. */
  relativeMargin: number;
  /**
   * The baseline's latency at the question's quantile over the rounds that were looked at: what turns the ratio, and a
   * margin in ms, into the other unit.
   */
  baselineMs: number;
  decision: "pass" | "fail" | "inconclusive";
  reason: string;
  /** Rounds of fresh processes that the ratio rests on. */
  rounds: number;
  /** How often was looked, this one included. */
  looks: number;
};

export type Contest = {
  results: ContestResult[];
  /** Ratio of each quantile with its interval after the last round, decided or not. */
  ratios: { quantile: Quantile; ratio: number; interval: Interval | null; queriesNeeded: number | null }[];
  /** Each model against its own second process; `excludesOne` voids every decision. */
  aa: { ratio: number; interval: Interval | null; pairs: number; excludesOne: boolean };
  candidate: Percentiles;
  baseline: Percentiles;
  rounds: MeasuredRound[];
  blocks: number;
  elapsedMs: number;
  provider: string;
  onnxruntime: string;
  threads: number;
};
