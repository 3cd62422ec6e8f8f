import { z } from "zod";
import { ConfigurationError } from "../../models/core/errors.ts";

const seconds = (standard: number) =>
  z.coerce
    .number()
    .min(0)
    .max(86_400)
    .default(standard)
    .transform((value) => value * 1000);
const count = (standard: number) => z.coerce.number().int().min(1).max(10_000).default(standard);

/**
 * Every wait, limit and tolerance of a deployment. Written as NAME=VALUE, with durations in seconds; stored in
 * milliseconds.
 */
export const settingsSchema = z.strictObject({
  "max-verdict-age-hours": z.coerce
    .number()
    .positive()
    .default(168)
    .describe("Oldest verdict that may still be deployed."),
  "max-space-bytes": z.coerce
    .number()
    .int()
    .positive()
    .default(1_000_000_000)
    .describe("Largest tree; the Hub caps a Space's repository at 1 GB."),
  "max-weights-bytes": z.coerce
    .number()
    .int()
    .positive()
    .default(100_000_000)
    .describe("Largest weights that lie in the Space itself; larger ones go to a model repository of the Hub."),
  "build-timeout": seconds(1800).describe("Seconds from the commit until the image is built."),
  "start-timeout": seconds(900).describe("Seconds from there until our revision runs."),
  "prove-timeout": seconds(180).describe("Seconds that the running revision has to prove itself."),
  "stall-after": seconds(300).describe(
    "Seconds for which another revision may run on before a restart, then a factory rebuild, is tried.",
  ),
  "settle-after": seconds(60).describe("Seconds for which an error stage may still be the old revision's."),
  "poll-interval": seconds(5).describe("Seconds between two looks, jittered by a fifth."),
  "request-timeout": seconds(30).describe("Seconds that one request to the Hub, to GitHub or to the Space may take."),
  "upload-timeout": seconds(120).describe("Seconds for which an upload may make no progress."),
  "retry-wait": seconds(1).describe("Seconds before the first retry; doubled each time, up to 30."),
  retries: z.coerce.number().int().min(0).max(20).default(4).describe("Retries of a request that may be repeated."),
  passes: count(3).describe("Consecutive rounds of proof that must succeed."),
  probes: count(20).describe("Timed predictions per round."),
  "max-p50-ms": z.coerce.number().positive().default(1000).describe("Largest median of a prediction's round trip."),
  tolerance: z.coerce
    .number()
    .min(0)
    .default(1e-4)
    .describe(
      "Largest difference, absolute and relative, between a golden answer and the Space's on another kind of processor.",
    ),
  "log-tail": count(40).describe("Lines of a log that are shown when something failed."),
});
export type Settings = z.infer<typeof settingsSchema>;

/**
 * Reads `NAME=VALUE` pairs, separated by spaces, commas or lines.
 *
 * @throws ConfigurationError naming the pair
 */
export function readSettings(text: string, place: string): Settings {
  const given: Record<string, string> = {};
  for (const pair of text.split(/[\s,]+/).filter((one) => one !== "")) {
    const at = pair.indexOf("=");
    const name = at < 0 ? pair : pair.slice(0, at);
    if (at < 0 || !(name in settingsSchema.shape))
      throw new ConfigurationError({
        code: "setting",
        place,
        problem: at < 0 ? "not NAME=VALUE" : "no such setting",
        expected: Object.keys(settingsSchema.shape).join(", "),
        received: name,
        example: "build-timeout=1200 poll-interval=10",
      });
    given[name] = pair.slice(at + 1);
  }
  const parsed = settingsSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = String(issue?.path[0]) as keyof Settings;
  throw new ConfigurationError({
    code: "setting",
    place: `${place}: ${name}`,
    problem: `not a value of this setting: ${(issue?.message ?? "not valid").toLowerCase()}`,
    expected: settingsSchema.shape[name].description ?? "a number",
    received: given[name] ?? "",
  });
}
