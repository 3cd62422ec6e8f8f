import type { Outcome } from "../../eval/stats/decide.ts";
import type { VerdictWord } from "../../eval/schema/verdict.ts";
import type { DriftEstimate } from "../drift/distributions.ts";
import type { WatchCheck } from "../schema/verdict.ts";

/** Verdicts of a watch that is not broken. */
export type Decided = Extract<VerdictWord, "PASS" | "FAIL" | "INCONCLUSIVE">;

const words: Record<Outcome, Decided> = { pass: "PASS", fail: "FAIL", inconclusive: "INCONCLUSIVE" };
export const verdictOf = (outcome: Outcome): Decided => words[outcome];

/** The fields that all checks of a watch have alike, and those that say nothing unless they are given. */
export function watchCheck(
  own: Pick<
    WatchCheck,
    "id" | "metric" | "group" | "kind" | "observed" | "direction" | "n" | "verdict" | "reason" | "advisory"
  > &
    Partial<WatchCheck>,
): WatchCheck {
  return {
    head: null,
    slice: "all",
    variable: null,
    baseline: null,
    difference: null,
    interval: null,
    margin: null,
    scale: "absolute",
    limit: null,
    unit: "",
    declaredAt: null,
    pValue: null,
    ...own,
  };
}

/** What a check is about, in a few words. */
export const nameOf = (check: Pick<WatchCheck, "variable" | "metric" | "head" | "slice">): string =>
  check.variable ??
  `${check.metric}${check.head === null ? "" : ` of ${check.head}`}${check.slice === "all" ? "" : `, ${check.slice}`}`;

/** A figure that JSON can hold. */
export const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** The interval of an estimate in the verdict's form; null where an end is infinite. */
export function intervalOf({ interval }: Pick<DriftEstimate, "interval">): WatchCheck["interval"] {
  return interval === null || !Number.isFinite(interval.low) || !Number.isFinite(interval.high) ? null : interval;
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
