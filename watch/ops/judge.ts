import { worstOf } from "../../eval/judge/algebra.ts";
import type { Slo } from "../../models/core/manifest/slo.ts";
import type { OpsCheck, OpsModel } from "../schema/ops.ts";

type Delivery = NonNullable<OpsModel["delivery"]>;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Whether what was delivered kept its objectives. Without a deployment there is nothing to decide. */
export function deliveryChecks(delivery: Delivery, slo: Slo): OpsCheck[] {
  const { deployments, changeFailureRate, recoveryMedianMs, unrestored } = delivery;
  const failed = Math.round((changeFailureRate ?? 0) * deployments);
  const recovery = recoveryMedianMs === null ? null : recoveryMedianMs / 60_000;
  return [
    {
      ...objective("change_failure_rate", changeFailureRate, slo.changeFailure, deployments, "fraction"),
      reason:
        changeFailureRate === null
          ? "nothing was deployed in the period"
          : `${failed} of ${deployments} deployments were rolled back: ${percent(changeFailureRate)}, and ${percent(slo.changeFailure)} is the objective`,
    },
    ...(failed === 0
      ? []
      : [
          {
            ...objective("recovery_minutes", recovery, slo.recoveryMinutes, failed, "minutes"),
            ...(unrestored > 0 ? { verdict: "FAIL" as const } : {}),
            reason:
              unrestored > 0
                ? `${unrestored} failed deployments were never put right`
                : `service was restored after ${recovery?.toFixed(1)} minutes (median of ${failed}), and ${slo.recoveryMinutes} is the objective`,
          },
        ]),
  ];
}

/** @param limit largest optimism that is accepted; null only informs, and is no check */
export function wearChecks(wear: OpsModel["wear"], limit: number | null): OpsCheck[] {
  if (limit === null) return [];
  return wear.map(({ dataset, candidates, optimism, candidatesLeft }) => ({
    ...objective("test_set_optimism", optimism, limit, candidates, "fraction"),
    reason: `${dataset} judged ${candidates} candidates: a figure in [0, 1] may be ${percent(optimism)} too good, and ${percent(limit)} is accepted${(candidatesLeft ?? 0) > 0 ? `; ${candidatesLeft} more are` : ": refresh its rows"}`,
  }));
}

function objective(
  metric: OpsCheck["metric"],
  observed: number | null,
  limit: number,
  n: number,
  unit: string,
): Omit<OpsCheck, "reason"> {
  const verdict = observed === null ? "INCONCLUSIVE" : observed <= limit ? "PASS" : "FAIL";
  return { metric, observed, limit, direction: "lower", n, unit, verdict, advisory: observed === null };
}

/** The worst of the checks that decide; INCONCLUSIVE where none does. */
export function judgeOps(checks: readonly OpsCheck[]): Pick<OpsModel, "verdict" | "reason"> {
  const deciding = checks.filter(({ advisory }) => !advisory);
  if (deciding.length === 0)
    return { verdict: "INCONCLUSIVE", reason: checks[0]?.reason ?? "no objective could be looked at" };
  const verdict = worstOf(deciding.map((one) => one.verdict));
  return {
    verdict,
    reason: deciding
      .filter((one) => one.verdict === verdict)
      .map(({ reason }) => reason)
      .join("; "),
  };
}
