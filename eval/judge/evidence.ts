import type { Interval } from "../schema/verdict.ts";

/**
 * What was found out for one planned check. States are a union, so that no judgement can read a figure that is
 * "sometimes there".
 */
export type Evidence =
  /** A value of the candidate alone, for a limit. */
  | {
      kind: "value";
      observed: number;
      /** Only shown beside it. */
      baseline: number | null;
      interval: Interval | null;
      n: number;
      /** Why the interval errs more often than alpha promises; see small-sample.ts. */
      caution?: string;
    }
  /** Candidate and baseline on the same rows or in the same job; `difference` and `interval` in the margin's scale. */
  | {
      kind: "contrast";
      observed: number;
      baseline: number;
      difference: number;
      interval: Interval;
      n: number;
      /** Made where the figures were measured, with its reason; the interval is then only shown. */
      decision?: { outcome: "pass" | "fail"; reason: string };
      caution?: string;
    }
  /** A relative check and nothing to compare with. */
  | { kind: "no-baseline"; observed: number | null; n: number; why: string }
  /** There is a baseline, but not one that may be compared. */
  | { kind: "incomparable"; observed: number | null; n: number; why: string }
  /** Fewer rows than the policy asks for. */
  | {
      kind: "insufficient";
      observed: number | null;
      baseline: number | null;
      difference: number | null;
      interval: Interval | null;
      n: number;
      why: string;
    }
  /** A comparison that ran to its end without a decision: out of time, or a runner too noisy to measure on. */
  | {
      kind: "undecided";
      observed: number;
      baseline: number;
      difference: number;
      interval: Interval | null;
      n: number;
      why: string;
    }
  /** No figure: metric undefined, slice or head not there, measurement failed. */
  | { kind: "missing"; n: number; why: string };
