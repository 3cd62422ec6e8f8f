import { z } from "zod";

const id = z.int().min(0);
const oneOrMore = z.union([id, z.array(id).min(1)]).transform((given) => (Array.isArray(given) ? given : [given]));

/** Output of a decode loop, as `outputs` declares it and a text head reads it: int64 [batch, length]. */
export const SEQUENCES = "sequences";

const sample = z
  .strictObject({
    seed: z
      .int()
      .min(0)
      .describe("Every row draws from a stream of its own that this starts: equal rows, equal texts."),
    temperature: z.number().positive().default(1),
    topK: z.int().positive().optional().describe("Draw from this many of the most probable tokens."),
    topP: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("Draw from the fewest tokens that together have this probability."),
  })
  .describe("Draw each token in the place of taking the most probable one.");

/** How a model that writes one token after the other is run. The defaults are greedy decoding with the cache. */
export const generate = z
  .strictObject({
    start: oneOrMore
      .optional()
      .describe(
        "Ids that a decoder begins with: its start token, then language, task and the like (forced prefix). A model without an encoder begins with its input and has none.",
      ),
    end: oneOrMore.describe("Ids of which any ends the text."),
    pad: id.optional().describe("Id that fills rows that have ended; default: the first of `end`."),
    maxTokens: z.int().positive().describe("Most tokens that are made, without `start` and with the end."),
    tokensPerSecond: z
      .strictObject({
        tokens: z.number().positive().describe("Most tokens of a second; at least one token is made."),
        input: z.string().min(1).describe("Input [batch, …, length] whose last dimension is time."),
        rate: z.number().positive().describe("Values of a second in it."),
      })
      .optional()
      .describe("A further limit by the length of the input: a speech model that loops is stopped."),
    minTokens: id.default(0).describe("So many tokens are made before the text may end."),
    cache: z
      .boolean()
      .default(true)
      .describe("Keep keys and values of earlier tokens, where the graphs take them; false computes all again."),
    beams: z.int().min(1).max(64).default(1).describe("Texts that are followed at once; 1 is greedy."),
    lengthPenalty: z
      .number()
      .default(1)
      .describe("Beams are compared by the sum of log probabilities / tokens^lengthPenalty, the end counted."),
    earlyStopping: z
      .boolean()
      .default(false)
      .describe("Stop as soon as `beams` texts have ended, not when none can become better."),
    sample: sample.optional(),
    repetitionPenalty: z
      .number()
      .positive()
      .default(1)
      .describe("Logits of tokens that are there already: divided by this if positive, else multiplied."),
    noRepeatNgram: id.default(0).describe("No sequence of so many tokens stands twice; 0 allows all."),
    suppress: z.array(id).default([]).describe("Ids that are never made."),
    beginSuppress: z.array(id).default([]).describe("Ids that are not the first token made."),
    forcedFirst: id.optional().describe("The first token made (forced_bos: a language, for example)."),
    forcedLast: id.optional().describe("The token at `maxTokens` (forced_eos)."),
  })
  .describe(
    "The model writes one token after the other: graphs by Optimum's names, run in a loop. The output `sequences` is what a text head reads.",
  );

export type GenerateSettings = z.infer<typeof generate>;

type Issue = { path: (string | number)[]; message: string; right?: { expected?: string; example?: unknown } };

/** What contradicts itself, or the rest of the manifest. */
export function generateIssues(
  settings: GenerateSettings,
  model: {
    artifact: { graphs?: { decoder?: unknown } | undefined };
    inputs: readonly { name: string }[];
    outputs: readonly { name: string; dtype: string }[];
    postprocess: readonly { kind: string; name: string; end?: number | undefined; ctc?: unknown }[];
    runtime: { provider: string };
  },
): Issue[] {
  const issues: Issue[] = [];
  const add = (path: (string | number)[], message: string, right?: Issue["right"]) =>
    issues.push({ path, message, ...(right === undefined ? {} : { right }) });
  const encoded = model.artifact.graphs?.decoder !== undefined;
  if (encoded && settings.start === undefined)
    add(["generate"], "a decoder needs `start`, the ids that it begins with", {
      expected: "decoder_start_token_id of the model's generation_config.json",
      example: { start: 1, end: 2, maxTokens: 200 },
    });
  if (!encoded && settings.start !== undefined)
    add(["generate", "start"], "a model without an encoder begins with its input", { expected: "no `start`" });
  if (settings.sample !== undefined && settings.beams > 1)
    add(["generate", "beams"], "beams and `sample` exclude each other", { expected: "beams: 1, or no `sample`" });
  if (settings.minTokens >= settings.maxTokens)
    add(["generate", "minTokens"], `${settings.minTokens} tokens at least and ${settings.maxTokens} at most`, {
      expected: `less than maxTokens (${settings.maxTokens})`,
      example: 0,
    });
  for (const [key, forbidden] of [
    ["forcedFirst", [...settings.suppress, ...settings.beginSuppress]],
    ["forcedLast", settings.suppress],
  ] as const)
    if (settings[key] !== undefined && forbidden.includes(settings[key]))
      add(["generate", key], `the id ${settings[key]} is forced and suppressed`, { expected: "one of the two" });
  const limit = settings.tokensPerSecond;
  if (limit !== undefined && !model.inputs.some(({ name }) => name === limit.input))
    add(["generate", "tokensPerSecond", "input"], `no input "${limit.input}"`, {
      expected: `one of ${model.inputs.map(({ name }) => name).join(", ")}`,
      example: model.inputs[0]?.name,
    });
  const [only] = model.outputs;
  if (model.outputs.length !== 1 || only?.name !== SEQUENCES || only.dtype !== "int64")
    add(["outputs"], "a model that generates has one output, the tokens that it made", {
      expected: `one output named ${SEQUENCES}`,
      example: [{ name: SEQUENCES, dtype: "int64", shape: ["batch", "length"] }],
    });
  model.postprocess.forEach((head, i) => {
    if (head.kind !== "text")
      add(["postprocess", i, "kind"], `generated tokens become a text, not ${head.kind}`, {
        expected: "a text head",
        example: "text",
      });
    else if (head.end !== undefined || head.ctc !== undefined)
      add(["postprocess", i, head.end === undefined ? "ctc" : "end"], "`generate.end` says where the text ends", {
        expected: "a text head with a tokenizer or a vocabulary alone",
      });
  });
  if (model.runtime.provider !== "cpu")
    add(["runtime", "provider"], "decode loops run on cpu only", { expected: "cpu", example: "cpu" });
  return issues;
}
