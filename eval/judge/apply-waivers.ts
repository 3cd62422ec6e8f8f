import type { Check } from "../schema/verdict.ts";
import type { Waiver } from "../schema/waivers.ts";

export type Waived = { checks: Check[]; notes: string[] };

/**
 * Applies the reviewed waivers of one model to its judged checks. A waiver that fits a FAIL or INCONCLUSIVE check stops
 * the check from deciding and is added to its reason. An expired waiver makes the check FAIL instead. ERROR and
 * INCOMPARABLE are never waived: there is no finding that a team could accept. Checks that PASS are left alone. If
 * several waivers fit, the one that expires last counts.
 *
 * @param today YYYY-MM-DD, UTC
 */
export function applyWaivers(checks: readonly Check[], waivers: readonly Waiver[], today: string): Waived {
  const used = new Set<Waiver>();
  const judged = checks.map((check): Check => {
    if (check.advisory || (check.verdict !== "FAIL" && check.verdict !== "INCONCLUSIVE")) return check;
    const [found] = waivers.filter((one) => fits(one, check)).toSorted((a, b) => b.expires.localeCompare(a.expires));
    if (found === undefined) return check;
    used.add(found);
    return found.expires < today
      ? {
          ...check,
          verdict: "FAIL",
          reason: `${check.reason}; its waiver expired on ${found.expires}: ${found.reason}`,
        }
      : {
          ...check,
          advisory: true,
          waiver: { reason: found.reason, expires: found.expires },
          reason: `${check.reason}; waived until ${found.expires}: ${found.reason}`,
        };
  });
  const notes = waivers
    .filter((one) => !used.has(one))
    .map((one) => {
      const found = checks.filter((check) => fits(one, check));
      const why =
        found.length === 0
          ? "no check fits it"
          : found.every((check) => check.verdict === "PASS")
            ? "its check passes"
            : found.some((check) => check.verdict === "ERROR" || check.verdict === "INCOMPARABLE")
              ? `its check is ${found.find((check) => check.verdict === "ERROR" || check.verdict === "INCOMPARABLE")?.verdict}, which no waiver covers`
              : "its check does not decide anyway, or a later waiver covers it";
      return `Unused waiver, ${one.expires < today ? "expired on" : "valid until"} ${one.expires}, for ${nameOf(one)}: ${why}.`;
    });
  return { checks: judged, notes };
}

function fits(waiver: Waiver, check: Check): boolean {
  return (
    waiver.metric === check.metric &&
    waiver.slice === check.slice &&
    (waiver.kind === undefined || waiver.kind === check.kind) &&
    (waiver.head === undefined || waiver.head === check.head)
  );
}

/** Text that identifies a waiver's check. */
export function nameOf({ metric, slice, kind, head }: Waiver): string {
  return `${metric}${head === undefined ? "" : `@${head}`}${slice === "all" ? "" : ` on ${slice}`}${kind === undefined ? "" : ` (${kind})`}`;
}
