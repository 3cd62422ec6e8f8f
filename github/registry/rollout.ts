import { z } from "zod";

// A roll-out's controller keeps its note behind the ref refs/sluice/rollout/ENVIRONMENT, as the message of an annotated
// tag: it survives restarts of the Space, whose disk is lost, and of the controller. The ref is neither a branch nor a
// tag, so it starts no workflow.

/** Distinguishes the Deployments of roll-outs from those of versions. */
export const ROLLOUT_TASK = "sluice-rollout";

/** The GitHub environment that shows a roll-out's steps: MODEL-STAGE-rollout. */
export const rolloutEnvironment = (environment: string): string => `${environment}-rollout`;

export const rolloutRef = (environment: string): string =>
  `refs/sluice/rollout/${environment.replaceAll(/[^\w.-]+/g, "-")}`;

const verdict = z.enum(["PASS", "FAIL", "INCONCLUSIVE"]);

const noteSchema = z.object({
  schemaVersion: z.literal(1),
  rollout: z.string(),
  model: z.string(),
  baseline: z.string(),
  candidate: z.string(),
  space: z.string(),
  startedAt: z.string(),
  /** The step that the Space was last told; -1 before the first. */
  step: z.int(),
  /** The process of the Space's server that was told. */
  instance: z.string().nullable(),
  /** What that process knew at the last look, to be handed back to the next one. */
  state: z.unknown(),
  restarts: z.int(),
  /** A person has to say yes before this step; the number of steps means: before everybody. */
  waitsFor: z.int().nullable(),
  /** What the last look saw. */
  seen: z.object({
    at: z.string(),
    verdict,
    action: z.string(),
    reason: z.string(),
    rows: z.int().describe("Of the candidate, in all."),
  }),
  ended: z.object({ at: z.string(), verdict, reason: z.string(), by: z.string().nullable(), rows: z.int() }).nullable(),
  /** The roll-out's GitHub Deployment. */
  deployment: z.int().nullable(),
  /** What happened, oldest first. */
  history: z.array(z.object({ at: z.string(), words: z.string() })),
});
export type RolloutNote = z.output<typeof noteSchema>;

/** The note in a ref's message; null for anything else. */
export function readRolloutNote(message: string): RolloutNote | null {
  try {
    return noteSchema.parse(JSON.parse(message));
  } catch {
    return null;
  }
}

export const writeRolloutNote = (note: RolloutNote): string => JSON.stringify(note);
