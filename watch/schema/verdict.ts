import { z } from "zod";
import { metricNames } from "../../models/core/manifest/gates.ts";
import { check, modelIdentity, verdictWord } from "../../eval/schema/verdict.ts";

/** What a watch measures besides the gate's metrics. */
const watchMetrics = ["psi", "rate"] as const;

/** A check of the gate's shape on what a live model sees and answers. */
const watchCheck = check.omit({ metric: true, discordant: true, signature: true }).extend({
  metric: z.enum([...metricNames, ...watchMetrics]),
  group: z
    .enum(["answers", "features", "quality", "performance"])
    .describe(
      "answers and performance decide; features inform; quality decides where rows cannot be used as they came.",
    ),
  variable: z.string().nullable().describe("The profile's variable; null for a figure by labels."),
  pValue: z.number().nullable().describe("Of no drift at all, adjusted over the features (Benjamini and Hochberg)."),
});
export type WatchCheck = z.infer<typeof watchCheck>;

const distribution = z.strictObject({
  variable: z.string(),
  cells: z.array(z.string()).describe("What each cell holds."),
  reference: z.array(z.int().nonnegative()),
  live: z.array(z.int().nonnegative()),
});

const watchedModel = z.strictObject({
  model: modelIdentity.pick({ id: true, version: true, sha256: true }),
  url: z.array(z.string()),
  profile: z
    .strictObject({
      sha256: z.string(),
      dataset: z.strictObject({ id: z.string(), digest: z.string(), rows: z.int() }),
    })
    .nullable(),
  window: z
    .strictObject({
      from: z.iso.datetime(),
      to: z.iso.datetime(),
      answered: z.int().nonnegative(),
      refused: z.int().nonnegative(),
      instances: z
        .int()
        .nonnegative()
        .describe("Servers that counted in it: replicas, and each again after a restart."),
    })
    .nullable(),
  labels: z
    .array(
      z.strictObject({
        head: z.string(),
        labelled: z.int().nonnegative().describe("Of answers old enough to be judged."),
        answered: z.int().nonnegative(),
      }),
    )
    .describe("Share of answers with a label; a small one may not be like all."),
  events: z.array(z.strictObject({ event: z.string(), n: z.int().nonnegative(), sum: z.number() })),
  verdict: verdictWord,
  reason: z.string(),
  checks: z.array(watchCheck),
  figures: z
    .array(
      z.strictObject({
        head: z.string(),
        metric: z.string(),
        days: z.array(z.strictObject({ day: z.iso.date(), n: z.int().positive(), value: z.number() })),
      }),
    )
    .default([])
    .describe("Each head's figure by true labels, by the day (UTC) of the answers."),
  distributions: z.array(distribution).describe("Of the answers, and of the features that drifted."),
  notes: z.array(z.string()),
});
export type WatchedModel = z.infer<typeof watchedModel>;

/** verdict.json of `sluice watch`. */
export const watchFile = z.strictObject({
  schemaVersion: z.literal(1),
  kind: z.literal("watch"),
  verdict: verdictWord,
  reason: z.string(),
  sluiceVersion: z.string(),
  createdAt: z.iso.datetime(),
  models: z.array(watchedModel),
});
export type WatchFile = z.infer<typeof watchFile>;
