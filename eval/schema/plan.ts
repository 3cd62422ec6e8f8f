import { z } from "zod";
import { metricName } from "../../models/core/manifest/gates.ts";
import { falseRed, policyChange } from "./verdict.ts";

const number = z.number().nullable();

/** What one check can decide on this dataset, before any candidate is judged. */
export const plannedPower = z.strictObject({
  id: z.string(),
  metric: metricName,
  head: z.string().nullable(),
  slice: z.string(),
  kind: z.enum(["limit", "non-inferiority", "superiority", "equivalence"]),
  n: z.int().nonnegative().describe("Rows."),
  margin: number,
  scale: z.enum(["absolute", "relative"]).describe("Of standardError, smallestChange and margin."),
  alpha: z.number(),
  standardError: number.describe(
    "Of the difference; of the value for a limit. null: the figure is not estimated from rows.",
  ),
  method: z.string().describe("How the standard error was found, or why there is none."),
  smallestChange: number.describe(
    "Smallest true change that is decided with 80 % power: (z(1 - alpha) + z(power)) standard errors, z(1 - (1 - power)/2) for equivalence.",
  ),
  passes: number.describe("Probability that a candidate without a true change passes."),
  rowsNeeded: z
    .int()
    .nullable()
    .describe(
      "Rows of this kind at which the margin itself is decided with 80 % power and every class has its minimum; null for a limit or a margin of 0.",
    ),
  rowsNeededAtMost: z
    .int()
    .nullable()
    .describe(
      "The same for two models whose errors have a correlation of only 0.5; null where both models were looked at.",
    ),
  refused: z.string().nullable().describe("Why this check cannot do what it is declared for; null when it can."),
});
export type PlannedPower = z.infer<typeof plannedPower>;

const modelPlan = z.strictObject({
  model: z.string(),
  candidate: z.string().describe("Version."),
  baseline: z.string().nullable(),
  dataset: z.strictObject({ id: z.string(), digest: z.string(), rows: z.int() }),
  policySource: z.string().describe("Where the thresholds were read: those of the base branch count."),
  policyChanges: z.array(policyChange).describe("Gate settings that the candidate changes; `base` is planned for."),
  assumption: z.string().describe("Which two models the standard errors are for."),
  checks: z.array(plannedPower),
  expectedFalseRed: falseRed.optional(),
  expectedMinutes: z
    .strictObject({ predicting: z.number(), timingAtMost: z.number() })
    .describe("On this machine, with nothing cached. timingAtMost: the time cap of latency comparisons."),
});
export type ModelPlan = z.infer<typeof modelPlan>;

/** `sluice plan --json` */
export const planFile = z.strictObject({
  schemaVersion: z.literal(1),
  sluiceVersion: z.string(),
  createdAt: z.iso.datetime(),
  power: z.number(),
  models: z.array(modelPlan),
});
export type PlanFile = z.infer<typeof planFile>;
