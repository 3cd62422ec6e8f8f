import type { RolloutNote } from "../../github/registry/rollout.ts";
import type { RolloutSettings } from "../../models/core/rollout/settings.ts";
import type { RolloutStatus } from "../../models/core/rollout/status.ts";

/**
 * What somebody asks for. `promote` says yes to a step that waits; `override` goes on although the evidence does not say
 * so. That one and `abort` come with a reason.
 */
export type Wish = { does: "promote" | "override" | "abort"; by: string; reason: string } | null;

/** What a controller does next. */
export type Next =
  | { kind: "nothing"; words: string }
  | { kind: "begin"; step: number; words: string; handBack: boolean }
  | { kind: "wait"; step: number; words: string }
  | { kind: "promote"; words: string }
  | { kind: "end"; verdict: "FAIL" | "INCONCLUSIVE" | "PASS"; words: string; notify: boolean };

/**
 * The next thing to do in a roll-out, from what was noted and what the Space says. Pure. One look does one thing; a step
 * is begun only by a controller, an end is the Space's own or a person's.
 */
export function nextOf(
  note: Pick<RolloutNote, "step" | "instance" | "restarts" | "state" | "waitsFor">,
  status: RolloutStatus,
  settings: Pick<RolloutSettings, "steps" | "approveAll" | "restarts">,
  wish: Wish,
): Next {
  const { decision } = status;
  const { steps } = settings;
  const by = wish === null ? "" : `${wish.by}${wish.reason === "" ? "" : `: ${wish.reason}`}`;
  const nameOf = (step: number): string => status.steps[step]?.name ?? "everybody";
  if (decision.action === "ABORT") return { kind: "end", verdict: "FAIL", words: decision.reason, notify: false };
  if (decision.action === "KEEP_BASELINE")
    return { kind: "end", verdict: decision.verdict, words: decision.reason, notify: false };
  if (wish?.does === "abort") return { kind: "end", verdict: "FAIL", words: `ended by ${by}`, notify: true };
  if (status.candidate.state !== "ready")
    return { kind: "nothing", words: `the candidate is ${status.candidate.state}` };
  if (note.step >= 0 && status.step < 0) {
    if (note.restarts >= settings.restarts)
      return {
        kind: "end",
        verdict: "FAIL",
        words: `the Space was restarted ${note.restarts + 1} times while the candidate ran beside`,
        notify: true,
      };
    const handBack = note.state !== null && note.state !== undefined;
    return {
      kind: "begin",
      step: note.step,
      words: handBack
        ? `the Space was restarted: ${nameOf(note.step)} and its evidence up to the last look were handed back`
        : `the Space was restarted before a look could note its evidence: ${nameOf(note.step)} starts again`,
      handBack,
    };
  }
  const next = status.step + 1;
  const isAll = next === steps.length;
  const isReady = status.step < 0 || decision.action === "NEXT" || decision.action === "PROMOTE";
  if (!isReady && wish?.does !== "override")
    return {
      kind: "nothing",
      words: wish === null ? decision.reason : `not promoted, an override would be needed: ${decision.reason}`,
    };
  const needsPerson = isAll ? settings.approveAll : steps[next]!.approve;
  if (needsPerson && wish === null)
    return { kind: "wait", step: next, words: `${nameOf(next)} waits for a person: ${decision.reason}` };
  const why = wish === null ? decision.reason : `${isReady ? "approved" : "overridden"} by ${by}`;
  if (isAll) return { kind: "promote", words: why };
  return { kind: "begin", step: next, words: `${nameOf(next)}: ${status.step < 0 ? "begun" : why}`, handBack: false };
}
