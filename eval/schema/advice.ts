import { z } from "zod";
import { interval } from "./verdict.ts";

const adviceWord = z.enum(["holds", "falls short", "open", "not measured"]);
export type AdviceWord = z.infer<typeof adviceWord>;

const milliseconds = z.strictObject({ p50: z.number(), p95: z.number() }).nullable();

const adviceResult = z.strictObject({
  kind: z.enum(["length", "language", "mentions", "refusals", "time"]),
  rule: z.string().describe("The check in words."),
  kept: z.int().nonnegative(),
  n: z.int().nonnegative().describe("Prompts that the check says something of."),
  interval: interval.nullable().describe("Of kept / n; null without any."),
  atLeast: z.number(),
  word: adviceWord.describe(
    "holds: the whole interval is at or above atLeast; falls short: all of it is below; open: neither.",
  ),
  broken: z.array(z.string()).describe("Ids of prompts whose answer did not keep it."),
});
export type AdviceResult = z.infer<typeof adviceResult>;

const modelAdvice = z.strictObject({
  model: z.strictObject({ id: z.string(), version: z.string(), remote: z.string() }),
  state: z.enum(["measured", "not-configured", "no-checks"]),
  reason: z.string().describe("Why nothing was measured; empty where something was."),
  prompts: z.int().nonnegative(),
  answered: z.int().nonnegative(),
  failures: z.record(z.string(), z.int().positive()).describe("Reason → prompts without an answer."),
  checks: z.array(adviceResult),
  firstWordsMs: milliseconds,
  answerMs: milliseconds,
  tokensPerAnswer: z
    .strictObject({ input: z.number(), output: z.number() })
    .nullable()
    .describe("Means, as the provider counts."),
  costPerThousand: z
    .strictObject({ amount: z.number(), currency: z.string() })
    .nullable()
    .describe("Of answers like these, at the manifest's prices."),
});
export type ModelAdvice = z.infer<typeof modelAdvice>;

/** advice.json: the answers of remote models, checked. It decides nothing. */
export const adviceFile = z.strictObject({
  schemaVersion: z.literal(1),
  sluiceVersion: z.string(),
  createdAt: z.iso.datetime(),
  models: z.array(modelAdvice),
});
export type AdviceFile = z.infer<typeof adviceFile>;
