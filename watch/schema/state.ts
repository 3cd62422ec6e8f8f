import { z } from "zod";
import { hourCounts } from "../../models/profile/live.ts";

const instance = z.strictObject({
  id: z.string(),
  startedAt: z.iso.datetime(),
  seenAt: z.iso.datetime(),
  hours: z.array(hourCounts),
});

/**
 * What a watch keeps between its runs: the counters that it has read, by server instance. A server forgets them at a
 * restart.
 */
export const watchState = z.strictObject({
  schemaVersion: z.literal(1),
  models: z.record(
    z.string(),
    z.strictObject({
      profileSha256: z.string(),
      instances: z.array(instance),
      days: z
        .array(hourCounts)
        .describe("Days that no server reports any more, over all instances; `hour` is the day's first."),
    }),
  ),
});
export type WatchState = z.infer<typeof watchState>;
