import { z } from "zod";

/** What a manifest says about the jobs of its model. */
export const jobSettings = z.strictObject({
  enabled: z.boolean().default(true).describe("Whether the model takes jobs at all."),
  keepHours: z
    .number()
    .positive()
    .max(24 * 365)
    .optional()
    .describe("How long input and result of a job are kept; default: what the server says (--jobs-keep-hours)."),
  maxRows: z.int().positive().default(1_000_000).describe("Most rows of one job."),
  maxBytes: z
    .int()
    .positive()
    .optional()
    .describe("Largest input of one job; default: what one owner may keep on the server."),
});

export type JobSettings = z.output<typeof jobSettings>;
