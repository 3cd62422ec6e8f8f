import type { ModelVerdict } from "../../eval/schema/verdict.ts";

/** The phases of a candidate's life, in order. */
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
  /** The environment that is deployed to, such as "production"; null before a deployment. */
  environment: string | null;
  /** Why the deployment failed or was rolled back. */
  reason: string | null;
  /** The version that serves after a rollback; null if none is known to serve. */
  restored: string | null;
  commit: string | null;
  /** GitHub login of the person who started the run. */
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
 * How urgent a card is. red: something went wrong. attention: somebody must act. green: nobody must act. pending: not
 * known yet.
 */
export type Tone = "pending" | "green" | "attention" | "red";

export function toneOf({ phase, verdict }: Pick<CardState, "phase" | "verdict">): Tone {
  if (phase === "failed" || phase === "rolled-back") return "red";
  if (phase === "waiting") return "attention";
  if (phase === "evaluating") return "pending";
  // During a deployment the verdict file may be absent. In the verdict phase a missing verdict does not count as a
  // PASS.
  if (verdict === null) return phase === "verdict" ? "red" : "green";
  return verdict.verdict === "PASS" ? "green" : "red";
}

/**
 * Whether a change is worth a sound: the card turned red, somebody must act, or it recovered from red. A candidate that
 * stays green or is evaluated again makes no sound.
 *
 * @param before the last tone that people saw; null for a new card
 */
export function isAudible(before: Tone | null, now: Tone): boolean {
  if (now === "red" || now === "attention") return before !== now;
  return before === "red" && now === "green";
}

/** The tone to remember. A candidate that is evaluated again keeps its last tone until the new verdict is known. */
export function toneToRemember(before: Tone | null, now: Tone): Tone {
  return now === "pending" && before !== null ? before : now;
}
