import { z } from "zod";
import { verdictWord } from "../../eval/schema/verdict.ts";

const count = z.int().nonnegative();
const figure = z.number().nullable();

const opsCheck = z.strictObject({
  metric: z.enum(["change_failure_rate", "recovery_minutes", "test_set_optimism"]),
  observed: figure,
  limit: z.number(),
  direction: z.literal("lower"),
  n: count.describe("Deployments, failed deployments, or candidates."),
  unit: z.string(),
  verdict: verdictWord,
  reason: z.string(),
  advisory: z.boolean().describe("true: it informs. An objective is a promise about what happened, so no interval."),
});
export type OpsCheck = z.infer<typeof opsCheck>;

const delivery = z.strictObject({
  environment: z.string(),
  deployments: count.describe("That succeeded in the period."),
  unproved: count.describe("That did not: their proof failed, and the version before was kept."),
  deploymentsPerWeek: z.number(),
  leadTimeMedianMs: figure.describe("From a commit to the success of the deployment that brought it out."),
  changeFailureRate: figure,
  recoveryMedianMs: figure,
  unrestored: count,
  reworkRate: figure,
});

const hostingCost = z.strictObject({
  name: z.string(),
  per1000: figure.describe("1,000 answers of this traffic, idle time included."),
  per1000AtFullUse: figure,
  total: figure,
  utilisation: figure.describe("Answers over what the paid hours could have given."),
  replicaHours: figure,
  reason: z.string().nullable(),
});

const opsModel = z.strictObject({
  model: z.strictObject({ id: z.string() }),
  verdict: verdictWord,
  reason: z.string(),
  checks: z.array(opsCheck),
  delivery: delivery.nullable().describe("DORA's five figures; null where GitHub was not asked."),
  use: z
    .strictObject({
      servers: count,
      answers: count,
      hours: count.describe("That the traffic is of."),
      throughputPerSecond: figure.describe("Rows, as a server measured at its start."),
      busyShare: figure.describe("Share of the time since the start in which the graph ran."),
      cacheHitShare: figure,
    })
    .nullable(),
  costs: z.array(hostingCost).describe("What it runs on now first, then the others, cheapest first."),
  wear: z.array(
    z.strictObject({
      dataset: z.string(),
      digest: z.string(),
      candidates: count.describe("Distinct weights that it is known to have judged: at least so many."),
      rows: count,
      optimism: z.number(),
      adaptiveOptimism: z.number(),
      candidatesLeft: figure,
      worn: z.boolean(),
    }),
  ),
  notes: z.array(z.string()),
});
export type OpsModel = z.infer<typeof opsModel>;

/** sluice ops --json. */
export const opsFile = z.strictObject({
  schemaVersion: z.literal(1),
  kind: z.literal("ops"),
  verdict: verdictWord,
  reason: z.string(),
  sluiceVersion: z.string(),
  createdAt: z.iso.datetime(),
  period: z.strictObject({ from: z.iso.datetime(), to: z.iso.datetime() }),
  currency: z.string(),
  models: z.array(opsModel),
});
export type OpsFile = z.infer<typeof opsFile>;
