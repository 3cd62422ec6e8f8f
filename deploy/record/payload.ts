import { z } from "zod";

/** What tells our Deployments from those that GitHub makes for every job with an environment. */
export const DEPLOY_TASK = "sluice";

/** The payload of a GitHub Deployment of ours: what was put where. */
export const payloadSchema = z.object({
  schemaVersion: z.literal(1),
  kind: z.enum(["deploy", "rollback"]),
  space: z.string(),
  spaceCommit: z.string(),
  model: z.object({ id: z.string(), version: z.string(), sha256: z.string() }),
  verdictSha256: z.string(),
  reason: z.string(),
  actor: z.string(),
});
export type Payload = z.infer<typeof payloadSchema>;

/** One environment per model and stage. */
export function environmentOf(model: string, stage: string): string {
  return `${model}-${stage}`;
}
