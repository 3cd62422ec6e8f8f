import type { Check, VerdictWord } from "../../schema/verdict.ts";

/**
 * What a report shows in the place of a check's verdict. A relative check without a baseline was never undecided, so it
 * gets words of its own and no verdict.
 */
export type CheckWord = { verdict: VerdictWord | null; text: string; aside: "" | "advisory" | "waived" };

export function checkWord(check: Check): CheckWord {
  if (hasNoBaseline(check)) return { verdict: null, text: "no baseline", aside: "" };
  return {
    verdict: check.verdict,
    text: check.verdict,
    aside: !check.advisory ? "" : check.waiver === undefined ? "advisory" : "waived",
  };
}

/** Whether this is a relative check that had nothing to compare with. */
export function hasNoBaseline(
  check: Pick<Check, "advisory" | "kind" | "baseline" | "difference" | "waiver" | "reason">,
): boolean {
  return (
    check.advisory &&
    check.waiver === undefined &&
    check.kind !== "limit" &&
    check.baseline === null &&
    check.difference === null &&
    check.reason.startsWith("no baseline")
  );
}
