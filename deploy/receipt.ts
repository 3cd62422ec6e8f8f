import { z } from "zod";
import { deployedSchema, type Deployed } from "./bundle/deployed.ts";

const proof = z.strictObject({
  rounds: z.int(),
  predictions: z.int(),
  p50Ms: z.number(),
  exact: z
    .boolean()
    .describe("Whether golden answers had to be equal to the last bit, because processor and runtime are the same."),
  commit: z.string().nullable(),
  sha256: z.string(),
});

/** deployment.json in --out: what was deployed, how it ended, and what serves now. */
export const deploymentReceipt = z.strictObject({
  schemaVersion: z.literal(1),
  outcome: z
    .enum(["live", "rolled-back", "failed", "overtaken", "unknown", "refused", "planned", "bundled"])
    .describe(
      "overtaken: somebody else committed after this deployment. unknown: nobody could find out what serves. refused: nothing was changed.",
    ),
  reason: z.string(),
  space: z.string().nullable(),
  environment: z.string(),
  url: z.string().nullable(),
  deployed: deployedSchema
    .omit({ files: true })
    .extend({ verdict: deployedSchema.shape.verdict.nullable().describe("Null if there was none to go by.") }),
  spaceCommit: z.string().nullable().describe("The revision of the Space that was to be deployed."),
  serving: z.string().nullable().describe("The revision that serves now, as far as was proved."),
  committed: z
    .boolean()
    .describe(
      "Whether a commit was made; false when the Space held this tree already. Where `spaceCommit` is null it may have been made.",
    ),
  rolledBackTo: z
    .strictObject({ commit: z.string(), restored: z.string().nullable(), model: z.string(), version: z.string() })
    .nullable(),
  proof: proof.nullable(),
  githubDeployment: z.int().nullable(),
  tag: z.string().nullable(),
  notRecorded: z.array(z.string()).describe("What could not be written down, and why."),
  log: z.array(z.string()).describe("Last lines of the Space's log, where one tells why this failed."),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  timeline: z.array(z.strictObject({ stage: z.string(), ms: z.number(), note: z.string() })),
});
export type DeploymentReceipt = z.infer<typeof deploymentReceipt>;

/**
 * 0 live and proved, or planned, or bundled · 1 not live · 2 refused · 3 nobody knows · 5 as 0, but not written down
 * where it should be.
 */
export function exitCodeOf({ outcome, notRecorded }: DeploymentReceipt): 0 | 1 | 2 | 3 | 5 {
  switch (outcome) {
    case "live":
    case "planned":
    case "bundled":
      return notRecorded.length > 0 ? 5 : 0;
    case "unknown":
      return 3;
    case "refused":
      return 2;
    case "rolled-back":
    case "failed":
    case "overtaken":
      return 1;
  }
}

export function withoutFiles({ files: _files, ...rest }: Deployed): DeploymentReceipt["deployed"] {
  return rest;
}
