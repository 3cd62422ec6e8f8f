import { z } from "zod";
import { metricName } from "../../models/core/manifest/gates.ts";

const rate = z
  .strictObject({ count: z.int().nonnegative(), rate: z.number(), low: z.number(), high: z.number() })
  .describe("With its 95 % Wilson interval.");

const calibratedCheck = z.strictObject({
  id: z.string(),
  metric: metricName,
  slice: z.string(),
  kind: z.enum(["limit", "non-inferiority", "superiority", "equivalence"]),
  margin: z.number().nullable(),
  scale: z.enum(["absolute", "relative"]),
  notPass: rate.describe("A/A gates in which the check is not PASS: false reds."),
  fail: rate.describe("A/A gates in which it is FAIL."),
  holdingMargin: z
    .number()
    .nullable()
    .describe("Margin at which the wanted share of A/A gates passes; null when some of them have no interval."),
});
export type CalibratedCheck = z.infer<typeof calibratedCheck>;

const modelCalibration = z.strictObject({
  model: z.string(),
  candidate: z.string(),
  baseline: z.string().nullable(),
  gates: z.int().nonnegative().describe("A/A gates drawn; 0 when there is nothing to draw from."),
  why: z.string().describe("What was drawn, or why nothing was."),
  notPass: rate.nullable().describe("A/A gates in which any of these checks is not PASS: the gate's false-red rate."),
  fail: rate.nullable(),
  checks: z.array(calibratedCheck),
});
export type ModelCalibration = z.infer<typeof modelCalibration>;

/** `sluice calibrate --json` */
export const calibrationFile = z.strictObject({
  schemaVersion: z.literal(1),
  sluiceVersion: z.string(),
  createdAt: z.iso.datetime(),
  wantedRate: z.number(),
  models: z.array(modelCalibration),
});
export type CalibrationFile = z.infer<typeof calibrationFile>;
