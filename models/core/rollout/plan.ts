import { createHash, createHmac } from "node:crypto";
import { z } from "zod";
import { rolloutSettings } from "./settings.ts";

/** Name of a roll-out's plan in a Space's tree, and the folder of what the candidate adds to it. */
export const ROLLOUT_FILE = "rollout.json";
export const CANDIDATE_DIR = "candidate";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const version = z.strictObject({ version: z.string(), sha256, commit: z.string().nullable() });

/**
 * rollout.json: a candidate beside the live version of one Space. It holds no time and no secret: of the key that the
 * controller shows, only its digest.
 */
export const rolloutPlan = z.strictObject({
  schemaVersion: z.literal(1),
  id: z.string().describe("Of these two builds; another build is another roll-out."),
  model: z.string(),
  baseline: version.describe("The live version."),
  candidate: version,
  controlSha256: sha256.describe("Of the key that may set the step."),
  settings: rolloutSettings,
});
export type RolloutPlan = z.output<typeof rolloutPlan>;

/** The id of a roll-out: of the two versions' weights, rules and commits. A new build gets a new one. */
export function rolloutId(baselineTree: string, candidateTree: string): string {
  return createHash("sha256").update(`${baselineTree}:${candidateTree}`).digest("hex").slice(0, 16);
}

/** The header in which a controller shows its key. */
export const CONTROL_HEADER = "x-sluice-rollout-key";
/** The header that asks for one version: "baseline", or "candidate" together with the key. What it asks is not counted. */
export const ARM_HEADER = "x-sluice-arm";
/** The header in which answers say which version made them, while a roll-out goes on. */
export const VERSION_HEADER = "x-model-version";

/**
 * The key of one roll-out, made of the controller's secret, so that a Space knows nothing but a digest of it.
 *
 * @param secret SLUICE_ROLLOUT_KEY
 */
export function controlKey(secret: string, rollout: string): string {
  return createHmac("sha256", secret).update(`sluice-rollout:${rollout}`).digest("hex");
}

export const digestOf = (key: string): string => createHash("sha256").update(key).digest("hex");
