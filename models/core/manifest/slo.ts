import { z } from "zod";

/** Upper bounds of the server's request histogram, in seconds: what a latency objective can be counted at exactly. */
export const latencyBucketsSeconds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
const latencyBucketsMs = latencyBucketsSeconds.map((seconds) => seconds * 1000);

const share = z.number().gt(0).lt(1);

const latency = z.strictObject({
  ms: z
    .number()
    .refine((ms) => latencyBucketsMs.includes(ms), {
      error: `a bound of the server's histogram, in milliseconds: ${latencyBucketsMs.join(", ")}`,
    })
    .describe(`Milliseconds of a whole request. One of ${latencyBucketsMs.join(", ")}.`),
  share: share.default(0.99).describe("Share of requests that are answered within `ms`. Default: 0.99."),
});

const objectives = {
  availability: share.optional().describe("Share of the time in which the model is ready. Default: 0.999."),
  errors: share
    .optional()
    .describe("Largest share of requests for predictions that end with a status from 500 on. Default: 0.001."),
  latency: latency.optional().describe("How fast requests are answered. Default: 99 % within 500 ms."),
  changeFailure: share
    .optional()
    .describe("Largest share of production deployments that had to be rolled back. Default: 0.05."),
  recoveryMinutes: z
    .number()
    .positive()
    .optional()
    .describe("Longest median time from a failed deployment's success to the one that restored service. Default: 10."),
};

const modelObjectives = z.strictObject(objectives);

/** `slo:` of sluice.yaml. */
export const sloSettings = z.strictObject({
  ...objectives,
  models: z
    .record(z.string(), modelObjectives)
    .optional()
    .describe("Model → objectives that differ, e.g. births: {latency: {ms: 25}}."),
});
export type SloSettings = z.infer<typeof sloSettings>;

const sloDefaults = {
  availability: 0.999,
  errors: 0.001,
  latency: { ms: 500, share: 0.99 },
  changeFailure: 0.05,
  recoveryMinutes: 10,
};

/** The objectives of one model. Shares are fractions; `latency.ms` milliseconds. */
export type Slo = typeof sloDefaults;

/** The defaults, then the repository's settings, then those for this model. */
export function sloOf(settings: SloSettings | undefined, model: string): Slo {
  const { models, ...everybody } = settings ?? {};
  return { ...sloDefaults, ...everybody, ...models?.[model] } as Slo;
}
