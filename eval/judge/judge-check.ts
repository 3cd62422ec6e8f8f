import type { Check, VerdictWord } from "../schema/verdict.ts";
import type { Direction } from "../stats/decide.ts";
import { decideContrast, decideLimit, explainOutcome, type ExplainedOutcome } from "./explain-outcome.ts";
import type { Evidence } from "./evidence.ts";
import type { PlannedCheck } from "./plan-checks.ts";

export type CheckContext = {
  direction: Direction;
  unit: string;
  onInsufficient: "fail" | "warn";
  declaredAt: Check["declaredAt"];
};

const verdictOfOutcome = { pass: "PASS", fail: "FAIL", inconclusive: "INCONCLUSIVE" } as const satisfies Record<
  ExplainedOutcome["outcome"],
  VerdictWord
>;

/**
 * Judges one planned check by its evidence. Pure and total: whatever comes in, PASS needs finite numbers, at least
 * one row, an interval where the rule reads one, and a rule that is met.
 */
export function judgeCheck(planned: PlannedCheck, evidence: Evidence, context: CheckContext): Check {
  const { policy } = planned;
  const base: Omit<Check, "verdict" | "reason" | "advisory"> = {
    id: planned.id,
    metric: policy.metric,
    head: planned.head,
    slice: planned.slice,
    kind: policy.kind,
    observed: "observed" in evidence ? finiteOrNull(evidence.observed) : null,
    baseline: "baseline" in evidence ? finiteOrNull(evidence.baseline) : null,
    difference: "difference" in evidence ? finiteOrNull(evidence.difference) : null,
    interval: "interval" in evidence ? soundInterval(evidence.interval) : null,
    margin: policy.kind === "limit" ? null : typeof policy.margin === "number" ? policy.margin : policy.margin.relative,
    scale: policy.kind !== "limit" && typeof policy.margin !== "number" ? "relative" : "absolute",
    limit:
      policy.kind === "limit"
        ? { min: policy.min ?? null, max: policy.max ?? null, confident: policy.confident }
        : null,
    direction: context.direction,
    n: Number.isSafeInteger(evidence.n) && evidence.n > 0 ? evidence.n : 0,
    ...("discordant" in evidence && evidence.discordant !== undefined ? { discordant: evidence.discordant } : {}),
    unit: context.unit,
    declaredAt: context.declaredAt,
  };
  const judged = (verdict: VerdictWord, reason: string, advisory = false): Check => ({
    ...base,
    verdict,
    reason,
    advisory,
  });

  switch (evidence.kind) {
    case "missing":
      return judged("ERROR", evidence.why);
    case "incomparable":
      return judged("INCOMPARABLE", evidence.why);
    case "no-baseline":
      return judged("INCONCLUSIVE", `no baseline: ${evidence.why}`, true);
    case "insufficient":
      return judged("INCONCLUSIVE", evidence.why, context.onInsufficient === "warn");
    case "undecided":
      return judged("INCONCLUSIVE", evidence.why);
    case "value": {
      if (policy.kind !== "limit")
        return judged("ERROR", `${policy.kind} needs a baseline's figures, and only the candidate's were measured`);
      if (base.observed === null || base.n === 0)
        return judged("ERROR", "the observed value is not a number, or rests on no rows");
      if (evidence.interval !== null && base.interval === null)
        return judged("ERROR", "the interval is not a pair of finite numbers in order");
      const { outcome, reason } = decideLimit(
        base.observed,
        base.interval,
        { min: policy.min ?? null, max: policy.max ?? null },
        policy.confident,
      );
      return judged(verdictOfOutcome[outcome], reason);
    }
    case "contrast": {
      if (policy.kind === "limit" || base.margin === null)
        return judged("ERROR", "a limit is judged by the candidate's own value");
      if (
        base.observed === null ||
        base.baseline === null ||
        base.difference === null ||
        base.interval === null ||
        base.n === 0
      ) {
        return judged("ERROR", "a value, the difference or its interval is not a finite number, or rests on no rows");
      }
      const { outcome, reason } =
        evidence.decision === undefined
          ? decideContrast(policy.kind, base.interval, base.margin, context.direction)
          : explainOutcome(policy.kind, base.margin, evidence.decision);
      return judged(verdictOfOutcome[outcome], reason);
    }
  }
}

function finiteOrNull(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

function soundInterval(interval: Check["interval"]): Check["interval"] {
  return interval !== null &&
    Number.isFinite(interval.low) &&
    Number.isFinite(interval.high) &&
    interval.low <= interval.high &&
    interval.level > 0 &&
    interval.level < 1
    ? interval
    : null;
}
