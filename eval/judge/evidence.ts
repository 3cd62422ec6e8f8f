import type { Check, Interval } from "../schema/verdict.ts";

/**
 * What was found for one planned check. The states are a union, so that no judgement can read a figure that is only
 * sometimes there.
 */
export type Evidence =
  /** A value of the candidate alone, for a limit. */
  | {
      kind: "value";
      observed: number;
      /** For display only. */
      baseline: number | null;
      interval: Interval | null;
      n: number;
      /** Why the interval errs more often than alpha promises; see small-sample.ts. */
      caution?: string;
    }
  /**
   * Candidate and baseline on the same rows or in the same job. `difference` and `interval` are in the margin's scale.
   */
  | {
      kind: "contrast";
      observed: number;
      baseline: number;
      difference: number;
      interval: Interval;
      n: number;
      discordant?: Check["discordant"];
      /** Made where the figures were measured, with its reason. The interval is then for display only. */
      decision?: { outcome: "pass" | "fail"; reason: string };
      caution?: string;
    }
  /** A relative check with nothing to compare with. */
  | { kind: "no-baseline"; observed: number | null; n: number; why: string }
  /** There is a baseline, but it cannot be compared. */
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
  /** A comparison that ended without a decision: out of time, or a runner too noisy to measure on. */
  | {
      kind: "undecided";
      observed: number;
      baseline: number;
      difference: number;
      interval: Interval | null;
      n: number;
      why: string;
    }
  /** No figure: the metric is undefined, the slice or head is missing, or the measurement failed. */
  | { kind: "missing"; n: number; why: string };
