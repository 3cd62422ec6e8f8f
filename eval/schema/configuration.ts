import { z } from "zod";
import { sloSettings } from "../../models/core/manifest/slo.ts";
import { watchSettings } from "../../models/core/manifest/watch.ts";
import { rolloutSettings } from "../../models/core/rollout/settings.ts";
import { modelId } from "../../models/core/manifest/manifest.ts";
import { opsSettings } from "./ops.ts";

const folder = z
  .string()
  .min(1)
  .regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$)).*$/, "a path inside the repository, without '..'");

/** sluice.yaml: which models a repository keeps, and where. */
export const configuration = z.strictObject({
  $schema: z.string().optional(),
  schemaVersion: z.literal(1),
  models: z.array(folder).min(1).describe("Folders that hold a model.yaml."),
  production: z
    .string()
    .regex(/^[\w.-]+$/)
    .default("production")
    .describe(
      "Sub-folder of a model's folder that holds its production version, when the repository keeps one. Without it the base branch's model.yaml is the production version.",
    ),
  retired: z
    .array(modelId)
    .default([])
    .describe(
      "Models that are given up. An entry counts once it is on the base branch; only then may a change take the model out.",
    ),
  spaces: z
    .record(
      z.string(),
      z.record(
        z.string().regex(/^[a-z][a-z0-9-]*$/, "a stage, e.g. production"),
        z.string().regex(/^[\w.-]+\/[\w.-]+$/, "NS/NAME"),
      ),
    )
    .default({})
    .describe(
      "Model → stage → the Hugging Face Space it is deployed to, e.g. mood: {staging: ns/mood-staging, production: ns/mood}.",
    ),
  weights: z
    .record(z.string(), z.string().regex(/^[\w.-]+\/[\w.-]+$/, "NS/NAME"))
    .default({})
    .describe(
      "Model → the Hugging Face model repository that keeps weights too large for its Space; default: NS/MODEL with the Space's own NS.",
    ),
  watch: watchSettings
    .optional()
    .describe("What `sluice watch` decides by, for every model whose model.yaml does not say otherwise."),
  rollout: z
    .record(modelId, rolloutSettings)
    .default({})
    .describe(
      "Model → how a candidate of it gets its traffic beside the live version, for `sluice deploy MODEL --rollout`.",
    ),
  slo: sloSettings
    .optional()
    .describe("What the live models promise. `sluice export prometheus` makes rules of it, `sluice ops` holds to it."),
  ops: opsSettings.optional().describe("Prices and limits that `sluice ops` reckons with."),
  retrain: z
    .strictObject({
      merge: z
        .enum(["never", "pass"])
        .default("never")
        .describe(
          "never: people merge. pass: a retrained candidate is merged when its gate is PASS and the branch requires a check. Read from the base branch.",
        ),
    })
    .prefault({})
    .describe("What `sluice retrain` does with its pull request."),
  reporting: z
    .strictObject({
      comment: z
        .boolean()
        .default(true)
        .describe("Keep the one sticky pull-request comment, unless the action's own `comment` input says otherwise."),
    })
    .prefault({}),
});
export type Configuration = z.infer<typeof configuration>;
