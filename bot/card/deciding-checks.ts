import { checkName, checkNumbers, isRelative } from "../../eval/report/content/check-numbers.ts";
import { byAttention, tally } from "../../eval/report/content/check-order.ts";
import { fixed } from "../../eval/report/text/format.ts";
import type { Check, ModelVerdict } from "../../eval/schema/verdict.ts";
import { inertLine } from "../telegram/format.ts";

/** One check as the card shows it. The name includes the unit, if there is one. */
export type ShownCheck = {
  name: string;
  verdict: string;
  observed: string;
  baseline: string;
  difference: string;
  rule: string;
};

const maxChecks = 4;

/**
 * The few checks that decided. If some did not pass, these, worst first. If all passed, those that compare with the
 * baseline over all rows come first.
 */
export function decidingChecks({ checks }: ModelVerdict): Check[] {
  const deciding = byAttention(checks).filter((check) => !check.advisory);
  const failed = deciding.filter((check) => check.verdict !== "PASS");
  const weight = (check: Check) => (check.kind === "limit" ? 2 : 0) + (check.slice === "all" ? 0 : 1);
  const passed = deciding.filter((check) => check.verdict === "PASS").toSorted((a, b) => weight(a) - weight(b));
  return (failed.length > 0 ? failed : passed).slice(0, failed.length > 0 ? maxChecks : maxChecks - 1);
}

export function shownCheck(check: Check): ShownCheck {
  const { unit, candidate, baseline, difference, interval, rule } = checkNumbers(check);
  return {
    name: `${inertLine(checkName(check), 60)}${check.slice === "all" ? "" : `, ${inertLine(check.slice, 60)}`}${unit === "" ? "" : ` (${inertLine(unit, 16)})`}`,
    verdict: check.verdict,
    observed: candidate,
    baseline: check.baseline === null ? "no baseline" : baseline,
    // The interval of a limit is that of the value itself, not of a difference.
    difference:
      check.kind === "limit"
        ? interval === ""
          ? ""
          : `value in ${interval}`
        : interval === ""
          ? difference
          : `${difference} ${interval}`,
    rule: inertLine(rule, 80),
  };
}

/** "×1.019 [×1.004, ×1.035]": how much longer the candidate takes than its baseline; null when it was not measured. */
export function latencyRatio({ checks }: ModelVerdict): string | null {
  const timed = checks.filter(
    (check) =>
      /^latency_p\d+_ms$/.test(check.metric) &&
      check.slice === "all" &&
      check.observed !== null &&
      check.baseline !== null &&
      check.baseline > 0,
  );
  const check = timed.find((one) => isRelative(one)) ?? timed[0];
  if (check === undefined) return null;
  const ratio =
    isRelative(check) && check.difference !== null
      ? 1 + check.difference
      : (check.observed as number) / (check.baseline as number);
  if (!Number.isFinite(ratio)) return null;
  const interval =
    isRelative(check) && check.interval !== null
      ? ` [×${fixed(1 + check.interval.low, 3)}, ×${fixed(1 + check.interval.high, 3)}]`
      : "";
  return `×${fixed(ratio, 3)}${interval}`;
}

/** "7 of 8 deciding checks PASS; 1 FAIL", and how many of them the card does not show. */
export function summary(verdict: ModelVerdict): string {
  return tally(verdict.checks);
}
