import { z } from "zod";

const hosting = z.strictObject({
  name: z.string().min(1).max(60).describe("What the table calls it, e.g. cpu-upgrade, int8 or spot."),
  pricePerHour: z.number().nonnegative().describe("Of one replica, in `currency`."),
  throughputPerSecond: z
    .number()
    .positive()
    .optional()
    .describe(
      "Answers per second of one replica, measured there. Without it the hosting has no figure; of the first one, what the server measured at its start counts.",
    ),
  sleepsAfterHours: z
    .number()
    .nonnegative()
    .optional()
    .describe("Sleeps, and costs nothing, after so many idle hours."),
  interruptedShare: z.number().min(0).lt(1).optional().describe("Share of the time lost to interruptions. Default: 0."),
});

/** `ops:` of sluice.yaml: what `sluice ops` reckons with. */
export const opsSettings = z.strictObject({
  currency: z.string().min(1).max(8).default("USD"),
  hostings: z
    .array(hosting)
    .max(20)
    .default([])
    .describe("What the models run on now, first; then what they could run on instead."),
  models: z
    .record(z.string(), z.array(hosting).min(1).max(20))
    .default({})
    .describe("Model → its own hostings, instead of `hostings`."),
  testSetOptimism: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe(
      "FAIL where a test set has judged so many candidates that a figure in [0, 1] may be this much too good. Without it wear only informs.",
    ),
});
export type OpsSettings = z.infer<typeof opsSettings>;
