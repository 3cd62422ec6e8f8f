import { z } from "zod";
import { metricName } from "../../models/core/manifest/gates.ts";

export const waiver = z.strictObject({
  model: z.string().min(1).describe("Id of the model."),
  metric: metricName,
  slice: z.string().min(1).default("all").describe('"all", or COLUMN=VALUE, as the report names the check.'),
  kind: z
    .enum(["limit", "non-inferiority", "superiority", "equivalence"])
    .optional()
    .describe("Only checks of this kind; default: every kind."),
  head: z.string().min(1).optional().describe("Only checks of this head; default: every head."),
  reason: z.string().trim().min(1).max(500).describe("Why the check may fail for now; it stands in every report."),
  expires: z.iso.date().describe("Last day (UTC) on which it counts, YYYY-MM-DD."),
});
export type Waiver = z.infer<typeof waiver>;

/** waivers.yaml, beside sluice.yaml: checks that a team has agreed to let fail until a date. */
export const waiversFile = z.strictObject({
  $schema: z.string().optional(),
  schemaVersion: z.literal(1),
  waivers: z.array(waiver),
});
