import { z } from "zod";
import { recordedVerdict, verdictIn, type RecordedVerdict } from "./verdict.ts";

/** Distinguishes our Deployments from those that GitHub makes for every job with an environment. */
export const DEPLOY_TASK = "sluice";

/** One GitHub environment for each stage of a model. */
export function environmentOf(model: string, stage: string): string {
  return `${model}-${stage}`;
}

const payloadSchema = z.object({
  schemaVersion: z.literal(1),
  kind: z
    .enum(["deploy", "rollback", "rollout"])
    .describe("rollout: the version that serves already, with a candidate beside it."),
  space: z.string(),
  spaceCommit: z.string(),
  model: z.object({ id: z.string(), version: z.string(), sha256: z.string() }),
  verdictSha256: z.string(),
  reason: z.string(),
  actor: z.string(),
});
/** The payload of one of our Deployments: what was deployed where. */
export type DeploymentPayload = z.infer<typeof payloadSchema>;

/** Reads a complete payload of ours, given as an object or as JSON; null for any other. */
export function parsePayload(given: unknown): DeploymentPayload | null {
  const parsed = payloadSchema.safeParse(asObject(given));
  return parsed.success ? parsed.data : null;
}

/** What a payload says about the model, whichever workflow wrote it. */
export type DeployedModel = { model: string; version: string; sha256: string | null; verdict: RecordedVerdict };

const text = z.string().optional().catch(undefined);
const deployedModel = z
  .looseObject({
    model: z.string(),
    version: z.string(),
    sha256: text,
    verdict: z.preprocess(verdictIn, recordedVerdict).optional(),
    verdictSha256: text,
  })
  // Our deployments let only PASS through, and record the verdict's digest instead of its word.
  .transform(({ model, version, sha256, verdict, verdictSha256 }): DeployedModel => ({
    model,
    version,
    sha256: sha256 ?? null,
    verdict: verdict ?? (verdictSha256 ? "PASS" : null),
  }));

/**
 * The model that a Deployment is about, read from its payload: one of ours, of any version, or a flat object from
 * another workflow. Null if the Deployment is not about a model.
 */
export function readDeployedModel(given: unknown): DeployedModel | null {
  const value = asObject(given);
  if (value === null) return null;
  const { model } = value;
  const flat =
    typeof model === "object" && model !== null ? { ...model, ...value, model: (model as { id?: unknown }).id } : value;
  const parsed = deployedModel.safeParse(flat);
  return parsed.success ? parsed.data : null;
}

/** GitHub returns a payload in the form in which it was sent: an object, or JSON text. */
function asObject(given: unknown): Record<string, unknown> | null {
  let value = given;
  if (typeof value === "string") {
    try {
      value = JSON.parse(value) as unknown;
    } catch {
      return null;
    }
  }
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
}
