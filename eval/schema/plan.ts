import { z } from "zod";
import { metricName } from "../../models/core/manifest/gates.ts";
import { falseRed, interval, policyChange } from "./verdict.ts";

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

/** A decision threshold for a head, with the rows that it was chosen on. */
const proposedThreshold = z.strictObject({
  head: z.string(),
  goal: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("fpr"), atMost: z.number() }),
    z.strictObject({ kind: z.literal("recall"), atLeast: z.number() }),
    z.strictObject({ kind: z.literal("cost"), falseAlarm: z.number(), miss: z.number() }),
  ]),
  rows: z.enum(["tuning", "gate"]).describe("Which rows it was chosen on: dataset.tuning, or the gate's own."),
  n: z.int().nonnegative(),
  declared: number.describe("The head's threshold in model.yaml; null without one."),
  chosen: z.discriminatedUnion("status", [
    z.strictObject({
      status: z.literal("ok"),
      threshold: z.number().describe("`score ≥ threshold` meets the goal on these rows."),
      interval: interval.describe("Of the threshold that would be chosen on all rows of this kind."),
      falsePositiveRate: z.number().describe("At the threshold, on the rows that it was chosen on."),
      recall: z.number().describe("At the threshold, on the rows that it was chosen on."),
      n: z.int().nonnegative(),
    }),
    z.strictObject({ status: z.literal("undefined"), reason: z.string() }),
  ]),
  notes: z.array(z.string()),
});
export type ProposedThreshold = z.infer<typeof proposedThreshold>;

const modelPlan = z.strictObject({
  model: z.string(),
  candidate: z.string().describe("Version."),
  baseline: z.string().nullable(),
  dataset: z.strictObject({ id: z.string(), digest: z.string(), rows: z.int() }),
  policySource: z.string().describe("Where the thresholds were read: those of the base branch count."),
  policyChanges: z.array(policyChange).describe("Gate settings that the candidate changes; `base` is planned for."),
  assumption: z.string().describe("Which two models the standard errors are for."),
  checks: z.array(plannedPower),
  thresholds: z.array(proposedThreshold).optional().describe("With --threshold: one per binary head."),
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
