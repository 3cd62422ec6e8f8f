import { severity } from "../../judge/algebra.ts";
import { hasNoBaseline } from "./check-word.ts";
import type { Check, VerdictWord } from "../../schema/verdict.ts";

/**
 * Deciding checks that are not PASS first, the worst at the top; then advisory ones that are not PASS; then PASS.
 * Otherwise in the order in which they were judged.
 */
export function byAttention(checks: readonly Check[]): Check[] {
  const rank = (check: Check) =>
    check.verdict === "PASS" ? 20 : (check.advisory ? 10 : 0) - severity.indexOf(check.verdict);
  return checks.toSorted((a, b) => rank(a) - rank(b));
}

/** A model's checks counted in one line: "11 of 12 deciding checks PASS; 1 FAIL; 2 without a baseline". */
export function tally(checks: readonly Check[]): string {
  if (checks.length === 0) return "no check was made";
  const deciding = checks.filter((check) => !check.advisory);
  const alone = checks.filter(hasNoBaseline).length;
  const waived = checks.filter((check) => check.waiver !== undefined).length;
  const advisory = checks.length - deciding.length - alone - waived;
  const words = severity.toReversed().filter((word): word is VerdictWord => word !== "PASS");
  const counts = words
    .map((word) => [word, deciding.filter((check) => check.verdict === word).length] as const)
    .filter(([, n]) => n > 0);
  const passed = deciding.filter((check) => check.verdict === "PASS").length;
  return [
    `${passed} of ${deciding.length} deciding ${deciding.length === 1 ? "check" : "checks"} PASS`,
    ...counts.map(([word, n]) => `${n} ${word}`),
    ...(alone > 0 ? [`${alone} without a baseline`] : []),
    ...(waived > 0 ? [`${waived} waived`] : []),
    ...(advisory > 0 ? [`${advisory} advisory`] : []),
  ].join("; ");
}
