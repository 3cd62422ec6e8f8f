import { z } from "zod";
import { didYouMean } from "../core/did-you-mean.ts";
import { currency, modelId, modelVersion, serving } from "../core/manifest/manifest.ts";
import { advice } from "./advice.ts";
import { fallbackLeg, legName } from "./leg.ts";

const inputName = z.string().regex(/^[A-Za-z_][\w-]{0,63}$/, "letters, digits, '_' and '-', starting with a letter");

/** One field of a row that a remote model's template may name. */
const remoteInput = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("text"),
    maxCharacters: z.int().positive().max(100_000).default(2000),
    fill: z.string().optional().describe("What an absent value becomes; without it an absent value is refused."),
  }),
  z.strictObject({
    type: z.literal("number"),
    min: z.number().optional(),
    max: z.number().optional(),
    fill: z.number().optional(),
  }),
]);

const price = z.number().nonnegative();
const prices = z
  .union([
    z.strictObject({ currency, inputPerMillionTokens: price, outputPerMillionTokens: price }),
    z.strictObject({ currency, perRequest: price }),
  ])
  .describe(
    "What the provider charges: per million tokens read and written, or per request. For comparisons of cost; nobody is billed by it.",
  );

const PLACEHOLDER = /\{\{\s*([\w-]+)\s*\}\}/g;

/** Names between double braces. */
function placeholders(template: string): string[] {
  return [...template.matchAll(PLACEHOLDER)].map((found) => found[1]!);
}

/** Replaces every `{{name}}` with its value. A value is never read as a template itself. */
export function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(PLACEHOLDER, (_, name: string) => values[name] ?? "");
}

/** What models without an artifact have in common: texts that somebody else writes, asked for over HTTP. */
const shared = {
  $schema: z.string().optional(),
  schemaVersion: z.literal(1),
  id: modelId,
  version: modelVersion,
  task: z.literal("text-generation"),
  description: z.string().default(""),
  license: z.string().optional(),
  inputs: z
    .record(inputName, remoteInput)
    .refine((inputs) => Object.keys(inputs).length > 0, "at least one input")
    .describe("Fields of a row."),
  prompt: z.strictObject({
    system: z.string().default("").describe("System message before every row."),
    template: z.string().min(1).describe("What it is asked; {{NAME}} stands for an input."),
  }),
  parameters: z
    .strictObject({
      maxTokens: z.int().positive().max(32_768).default(256).describe("Most tokens of an answer."),
      temperature: z.number().min(0).max(2).default(0.7),
      topP: z.number().gt(0).max(1).optional(),
      seed: z.int().optional(),
    })
    .prefault({}),
  head: inputName.default("text").describe("Name of the answer among `heads`."),
  limits: z
    .strictObject({
      timeoutMs: z
        .int()
        .positive()
        .max(600_000)
        .default(20_000)
        .describe("Longest that one answer may take, retries included; a request's own deadline may be sooner."),
      concurrency: z.int().positive().max(256).default(4).describe("Answers that are asked for at the same time."),
      queue: z
        .int()
        .nonnegative()
        .max(10_000)
        .default(32)
        .describe("Rows that may wait for their turn; what comes on top is refused."),
      maxRows: z
        .int()
        .positive()
        .max(10_000)
        .default(50)
        .describe("Most rows of one request: every row is a call that may cost something."),
    })
    .prefault({}),
  retry: z
    .strictObject({
      attempts: z
        .int()
        .positive()
        .max(6)
        .default(3)
        .describe("Calls per row, the first one included. None is repeated once a token has come."),
      baseMs: z
        .int()
        .positive()
        .max(60_000)
        .default(250)
        .describe("Longest wait before the second call; it doubles with every further one. Waits are drawn at random."),
      maxMs: z
        .int()
        .positive()
        .max(60_000)
        .default(4000)
        .describe("Longest wait between two calls. Retry-After may ask for more, within the time limit."),
    })
    .prefault({}),
  breaker: z
    .strictObject({
      failures: z
        .int()
        .positive()
        .max(100)
        .default(5)
        .describe("Rows that fail in a row before none is tried any more."),
      openMs: z
        .int()
        .positive()
        .max(600_000)
        .default(15_000)
        .describe("How long none is tried; then one may, and decides."),
    })
    .prefault({}),
  prices: prices.optional(),
  pair: z
    .strictObject({
      model: modelId.describe("The local model beside which this one is shown, and with which it is deployed."),
      answers: z
        .record(inputName, z.string().regex(/^[\w-]+\.(label|score|value)$/, "HEAD.label, HEAD.score or HEAD.value"))
        .default({})
        .describe("Inputs that the page takes from that model's answer."),
    })
    .optional(),
  advice: advice.optional(),
  serving: serving.prefault({}),
};

type Shared = Pick<z.infer<z.ZodObject<typeof shared>>, "inputs" | "prompt" | "pair">;

/** What a template and a pair may name. */
function checkNames(m: Shared, context: z.core.$RefinementCtx): void {
  const known = Object.keys(m.inputs);
  for (const name of placeholders(m.prompt.template)) {
    if (!known.includes(name))
      context.addIssue({
        code: "custom",
        path: ["prompt", "template"],
        message: `no input "${name}"; there are: ${known.join(", ")}`,
        params: { example: `{{${didYouMean(name, known) ?? known[0] ?? "text"}}}` },
      });
  }
  if (placeholders(m.prompt.template).length === 0)
    context.addIssue({
      code: "custom",
      path: ["prompt", "template"],
      message: `names no input, so that every row would get the same question; {{${known[0] ?? "text"}}} puts one in`,
      params: { example: `{{${known[0] ?? "text"}}}` },
    });
  for (const name of Object.keys(m.pair?.answers ?? {})) {
    if (!known.includes(name))
      context.addIssue({
        code: "custom",
        path: ["pair", "answers", name],
        message: `no input "${name}"; there are: ${known.join(", ")}`,
        params: {
          example: m.pair?.answers[name],
          at: ["pair", "answers", didYouMean(name, known) ?? known[0] ?? name],
        },
      });
  }
}

/** The model.yaml of a text-generation model that a provider runs. */
export const remoteManifest = z
  .strictObject({
    ...shared,
    backend: z
      .literal("hf-inference")
      .describe("Chat completion through Hugging Face's inference providers. The token comes from HF_TOKEN."),
    model: z
      .string()
      .regex(/^[\w.-]+\/[\w.-]+(:[\w-]+)?$/, "ORG/NAME, or ORG/NAME:PROVIDER")
      .describe("The remote model."),
  })
  .superRefine(checkNames);

/** Each backend of a fallback has its own. */
const { retry: _retry, breaker: _breaker, ...withoutRetries } = shared;

/** The model.yaml of a text-generation model that several backends can answer, tried in turn. */
export const fallbackManifest = z
  .strictObject({
    ...withoutRetries,
    backend: z.literal("fallback").describe("The first of `fallback` that begins to answer."),
    fallback: z.array(fallbackLeg).min(1).max(8).describe("Backends in the order in which they are tried."),
  })
  .superRefine((m, context) => {
    checkNames(m, context);
    const names = m.fallback.map(legName);
    names.forEach((name, i) => {
      if (names.indexOf(name) !== i)
        context.addIssue({
          code: "custom",
          path: ["fallback", i],
          message: `two backends are called ${name}`,
          params: { expected: "a `name` of its own", example: `${name}-2`, at: ["fallback", i, "name"] },
        });
    });
  });

export type RemoteManifest = z.infer<typeof remoteManifest>;
export type RemoteManifestInput = z.input<typeof remoteManifest>;
export type FallbackManifest = z.infer<typeof fallbackManifest>;
export type FallbackManifestInput = z.input<typeof fallbackManifest>;
/** Backends whose models have no artifact, so that no gate can judge them. */
export const remoteBackends: readonly unknown[] = ["hf-inference", "fallback"];
export type RemotePrices = NonNullable<RemoteManifest["prices"]>;
