import { z } from "zod";
import { metricName } from "../../models/core/manifest/gates.ts";
import { interval, modelIdentity, verdictWord } from "./verdict.ts";

/** receipt.json: what was measured and judged about the weights in its folder, when they were let through. */
export const productionReceiptFile = z.strictObject({
  schemaVersion: z.literal(1),
  model: modelIdentity,
  dataset: z.strictObject({ id: z.string(), digest: z.string(), rows: z.int() }),
  metrics: z.array(
    z.strictObject({
      metric: metricName,
      head: z.string().nullable(),
      slice: z.string(),
      value: z.number(),
      interval: interval.nullable(),
      n: z.int(),
    }),
  ),
  profile: z.strictObject({ sha256: z.string() }).optional().describe("profile.json beside this file."),
  verdict: verdictWord,
  reason: z.string(),
  sluiceVersion: z.string(),
  onnxruntime: z.string(),
});
export type ProductionReceipt = z.infer<typeof productionReceiptFile>;
