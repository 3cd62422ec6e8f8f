import type { ModelVerdict } from "../../eval/schema/verdict.ts";

/** Where a candidate stands in its life, in order. */
export const phases = [
  "evaluating",
  "verdict",
  "waiting",
  "build",
  "start",
  "proving",
  "live",
  "rolled-back",
  "failed",
] as const;
export type Phase = (typeof phases)[number];

/** Everything that one candidate's card shows. Any text may come from a stranger. */
export type CardState = {
  model: { id: string; version: string };
  phase: Phase;
  /** The gate's judgement; null while there is none. */
  verdict: ModelVerdict | null;
  /** Environment that is deployed to, e.g. "production"; null before there is one. */
  environment: string | null;
  /** Why the deployment failed or was rolled back. */
  reason: string | null;
  /** Version that serves after a rollback; null when nothing is known to serve. */
  restored: string | null;
  commit: string | null;
  /** GitHub login of who started it. */
  actor: string | null;
  repository: string | null;
  pullRequest: number | null;
  links: {
    run: string | null;
    report: string | null;
    space: string | null;
    pullRequest: string | null;
    commit: string | null;
  };
};

/**
 * How urgent a card is: red went wrong, attention needs somebody to act, green needs nobody, pending is not known yet.
 */
export type Tone = "pending" | "green" | "attention" | "red";

export function toneOf({ phase, verdict }: Pick<CardState, "phase" | "verdict">): Tone {
  if (phase === "failed" || phase === "rolled-back") return "red";
  if (phase === "waiting") return "attention";
  if (phase === "evaluating") return "pending";
  // A deployment may go on without its verdict at hand, but where the verdict should be, a missing one is no PASS.
  if (verdict === null) return phase === "verdict" ? "red" : "green";
  return verdict.verdict === "PASS" ? "green" : "red";
}

/**
 * Whether a change is worth a sound: something turned red, needs somebody, or recovered from red. A candidate that stays
 * green, or starts over, is silent.
 *
 * @param before the last tone that people saw; null for a new card
 */
export function isAudible(before: Tone | null, now: Tone): boolean {
  if (now === "red" || now === "attention") return before !== now;
  return before === "red" && now === "green";
}

/** The tone to remember: a candidate that is evaluated again keeps its tone until its verdict is known. */
export function toneToRemember(before: Tone | null, now: Tone): Tone {
  return now === "pending" && before !== null ? before : now;
}
