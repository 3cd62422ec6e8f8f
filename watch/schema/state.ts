import { z } from "zod";
import { hourCounts } from "../../models/profile/live.ts";

const instance = z.strictObject({
  id: z.string(),
  startedAt: z.iso.datetime(),
  seenAt: z.iso.datetime(),
  hours: z.array(hourCounts),
});

const evidence = z.array(z.number());

/** What is kept of a figure by labels: the change detector, and the labels that it has taken. */
const changeState = z.strictObject({
  limit: z.number().describe("The mean that is held, as a share of the worst value."),
  worseSince: z.string().nullable().describe("Day of the alarm that stands, YYYY-MM-DD."),
  closed: z.boolean().describe("Whether the latest alarm was closed again."),
  detector: z
    .strictObject({ mean: z.number(), bets: evidence, sr: evidence, cusum: evidence, count: z.int().nonnegative() })
    .describe("Of a rise; while an alarm stands, of the return."),
  taken: z.array(z.strictObject({ day: z.string(), counts: z.array(z.int().nonnegative()) })),
});
export type ChangeState = z.infer<typeof changeState>;

const asked = z
  .strictObject({ at: z.iso.datetime(), checks: z.array(z.string()) })
  .describe("When a training was asked for last, and because of which checks.");
export type Asked = z.infer<typeof asked>;

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
      changes: z.record(z.string(), changeState).optional().describe("By the id of the check."),
      asked: asked.optional(),
    }),
  ),
});
export type WatchState = z.infer<typeof watchState>;
