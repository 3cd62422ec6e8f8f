import type { Interval } from "../schema/verdict.ts";
import {
  decideComparison,
  decideConfidentLimit,
  decideObservedLimit,
  type Comparison,
  type Direction,
  type Outcome,
} from "../stats/decide.ts";

/** What a rule says about the figures (`eval/stats/decide.ts`), and why, in words. */
export type ExplainedOutcome = { outcome: Outcome; reason: string };

/** A relative rule on the interval of candidate - baseline. */
export function decideContrast(
  kind: Comparison,
  interval: Interval,
  margin: number,
  direction: Direction,
): ExplainedOutcome {
  const outcome = decideComparison(kind, interval, margin, direction);
  return { outcome, reason: meaning(kind, margin)[outcome] };
}

/** The words for a decision that was made where the figures come from: what its rule means by it, and its own reason. */
export function explainOutcome(
  kind: Comparison,
  margin: number,
  { outcome, reason }: ExplainedOutcome,
): ExplainedOutcome {
  return { outcome, reason: `${meaning(kind, margin)[outcome]}; ${reason}` };
}

function meaning(kind: Comparison, margin: number): Record<Outcome, string> {
  const much = margin > 0 ? " by more than the margin" : "";
  switch (kind) {
    case "non-inferiority":
      return {
        pass: "shown to be worse by less than the margin, if at all",
        fail: "shown to be worse by more than the margin",
        inconclusive: "the interval holds both an acceptable loss and one beyond the margin",
      };
    case "superiority":
      return {
        pass: `shown to be better${much}`,
        fail: `shown not to be better${much}`,
        inconclusive: `neither shown to be better${much} nor shown not to be`,
      };
    case "equivalence":
      return {
        pass: "shown to differ by less than the margin",
        fail: "shown to differ by more than the margin",
        inconclusive: "the interval reaches beyond the margin but is not all beyond it",
      };
  }
}

export type Limit = { min: number | null; max: number | null };

/** A limit on the candidate's own value, applied to its interval when `confident`, otherwise to the observed value. */
export function decideLimit(
  observed: number,
  interval: Interval | null,
  { min, max }: Limit,
  confident: boolean,
): ExplainedOutcome {
  if (!confident) {
    return explained(decideObservedLimit(observed, min, max), {
      pass: "the observed value keeps the limit",
      fail: `the observed value is ${min !== null && observed < min ? "below the minimum" : "above the maximum"}`,
      inconclusive: "the limit admits no value",
    });
  }
  return explained(decideConfidentLimit(interval, min, max), {
    pass: "the whole interval keeps the limit",
    fail: "the whole interval lies beyond the limit",
    inconclusive:
      interval === null ? "there is no interval to be confident by" : "the interval reaches beyond the limit",
  });
}

function explained(outcome: Outcome, reasons: Record<Outcome, string>): ExplainedOutcome {
  return { outcome, reason: reasons[outcome] };
}
