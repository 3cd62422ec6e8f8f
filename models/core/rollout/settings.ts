import { z } from "zod";

const percent = z
  .string()
  .regex(/^\d{1,2}(\.\d+)? ?%$/, "a share of the traffic below 100 %, e.g. 10 %")
  .transform((text) => Number.parseFloat(text) / 100)
  .refine((share) => share > 0, "a share above 0 %, e.g. 1 %");

const place = z.union([z.literal("shadow"), percent]);
const step = z
  .union([
    place.transform((at) => ({ at, approve: false })),
    z.strictObject({
      at: place.describe("shadow, or the candidate's share of the traffic, e.g. 10 %."),
      approve: z.boolean().default(false).describe("A person says yes before this step begins."),
    }),
  ])
  .transform(({ at, approve }) => (at === "shadow" ? { share: 0, approve } : { share: at, approve }));

const margin = (standard: number, what: string) =>
  z
    .number()
    .gt(-1)
    .lt(1)
    .default(standard)
    .describe(`${what} Negative: the candidate has to be better by so much. Default: ${standard}.`);

const metrics = z.strictObject({
  errors: z
    .strictObject({ margin: margin(0.01, "Largest loss of the share of rows that are answered.") })
    .prefault({})
    .describe("Rows without an answer. Always judged."),
  latency: z
    .strictObject({
      withinMs: z.number().positive().describe("An answer in time takes the model no longer than this."),
      margin: margin(0.02, "Largest loss of the share of answers in time."),
    })
    .optional(),
  agreement: z
    .strictObject({
      margin: margin(0.1, "Largest share of shadow answers that may differ from the live version's."),
      tolerance: z
        .number()
        .nonnegative()
        .default(0.05)
        .describe("Numbers agree that differ by no more than this, relative to the live version's. Default: 0.05."),
    })
    .optional()
    .describe("Whether both versions answer the same; only a shadow can tell."),
  labels: z
    .strictObject({
      margin: margin(0.02, "Largest loss of the share of right answers."),
      within: z
        .number()
        .positive()
        .optional()
        .describe("A number is right that is off by no more; needed for numbers."),
    })
    .optional()
    .describe("True labels that /feedback gets."),
  events: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, "a name as /feedback takes it, e.g. click"),
      z.strictObject({
        margin: margin(0.01, "Largest loss of the mean value per answer, in units of `max`."),
        withinMinutes: z
          .number()
          .positive()
          .max(10_080)
          .default(60)
          .describe("Minutes after the answer; an answer without the event by then counts 0. Default: 60."),
        max: z.number().positive().default(1).describe("Largest value; more counts as this. Default: 1."),
      }),
    )
    .default({})
    .describe("Business events that /feedback gets, e.g. purchase: {max: 50}."),
});
export type RolloutMetrics = z.output<typeof metrics>;

/** How a candidate of a model gets its traffic, and what it is judged by meanwhile. */
export const rolloutSettings = z
  .strictObject({
    steps: z
      .array(step)
      .min(1)
      .max(12)
      .prefault(["shadow", "1 %", "10 %", "50 %"])
      .describe("In order; after the last the candidate is deployed for all. Default: shadow, 1 %, 10 %, 50 %."),
    approveAll: z.boolean().default(false).describe("A person says yes before the candidate is deployed for all."),
    key: z
      .strictObject({
        header: z
          .string()
          .regex(/^[A-Za-z0-9-]{1,64}$/, "a header's name, e.g. x-user-id")
          .optional()
          .describe("Header that names the unit: a user or a session."),
        field: z.string().min(1).max(200).optional().describe("Field of the row that names it."),
        apiKey: z.boolean().default(false).describe("The caller's API key names it."),
      })
      .prefault({})
      .describe(
        "What keeps a user with one version; the first that a request has counts. Without any every request is assigned anew.",
      ),
    metrics: metrics.prefault({}),
    alpha: z
      .number()
      .gt(0)
      .lt(0.5)
      .default(0.05)
      .describe("A candidate on its margins gets through, and is ended, with at most this probability. Default: 0.05."),
    minimum: z
      .strictObject({
        rows: z
          .int()
          .positive()
          .default(100)
          .describe("Rows of the candidate that every step has to see. Default: 100."),
        recent: z
          .int()
          .nonnegative()
          .max(10_000)
          .default(10)
          .describe("With fewer rows of the candidate within `minutes` the roll-out is paused. Default: 10."),
        minutes: z.number().positive().max(1440).default(60).describe("Default: 60."),
      })
      .prefault({}),
    cap: z
      .strictObject({
        days: z.number().positive().max(90).default(14).describe("Longest time of a roll-out. Default: 14."),
        rows: z.int().positive().default(1_000_000).describe("Most rows of the candidate. Default: 1,000,000."),
      })
      .prefault({})
      .describe("What is undecided by then ends INCONCLUSIVE, and the live version stays."),
    restarts: z
      .int()
      .nonnegative()
      .default(5)
      .describe("Restarts of the Space while the candidate runs beside; one more ends the roll-out. Default: 5."),
    memoryMb: z
      .number()
      .positive()
      .optional()
      .describe("Most memory of the server with both versions. Default: nine tenths of what the machine gives it."),
  })
  .superRefine(({ steps }, context) => {
    for (let i = 1; i < steps.length; i++)
      if (steps[i]!.share <= steps[i - 1]!.share)
        context.addIssue({
          code: "custom",
          path: ["steps", i],
          message: "shares that grow, with shadow only as the first, e.g. [shadow, 1 %, 10 %, 50 %]",
        });
  });
export type RolloutSettings = z.output<typeof rolloutSettings>;

/** Settings as a file holds them: reading that gives the same settings again. */
export function writtenSettings({ steps, ...rest }: RolloutSettings): z.input<typeof rolloutSettings> {
  return {
    ...rest,
    steps: steps.map(({ share, approve }) => ({
      at: share === 0 ? "shadow" : `${Number((100 * share).toFixed(6))} %`,
      approve,
    })),
  };
}

/** "shadow", "canary 10 %". */
export function stepName(share: number): string {
  return share === 0 ? "shadow" : `canary ${Number((100 * share).toFixed(4))} %`;
}
