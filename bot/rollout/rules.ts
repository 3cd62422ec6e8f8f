import type { RolloutStatus } from "../../models/core/rollout/status.ts";
import type { ActionDetail } from "../store/actions.ts";

/** Whether the evidence lets a roll-out go on, so that a promotion is no override. */
export const mayGoOn = ({ decision, step }: RolloutStatus): boolean =>
  step < 0 || decision.action === "NEXT" || decision.action === "PROMOTE";

export const hasEnded = ({ decision }: RolloutStatus): boolean =>
  decision.action === "ABORT" || decision.action === "KEEP_BASELINE";

/** Why what was agreed on a roll-out does not hold any more; null where it does. */
export function whyNotRollout(
  status: RolloutStatus,
  { rollout, does }: Pick<ActionDetail & { kind: "rollout" }, "rollout" | "does">,
): string | null {
  if (status.rollout !== rollout) return "another roll-out goes on there now";
  if (hasEnded(status)) return `it has ended: ${status.decision.reason}`;
  return does === "promote" && !mayGoOn(status)
    ? `the evidence does not say so any more: ${status.decision.reason}`
    : null;
}
