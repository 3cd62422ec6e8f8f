import { z } from "zod";

const environment = z.strictObject({
  env: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/, "the name of an environment variable")
    .describe("Variable that holds it."),
});

const url = z
  .union([z.url({ protocol: /^https?$/ }), environment])
  .describe("Base URL, or the environment variable with it. A key is sent over https, or to this machine only.");

const common = {
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, "lower-case letters, digits and '-'")
    .optional()
    .describe("Names it in answers, metrics and logs; default: its kind."),
  firstWordsMs: z
    .int()
    .positive()
    .max(600_000)
    .default(5000)
    .describe("Longest wait for its first words; then the next backend is asked."),
  timeoutMs: z.int().positive().max(600_000).default(20_000).describe("Longest that its whole answer may take."),
  attempts: z
    .int()
    .positive()
    .max(6)
    .default(1)
    .describe("Calls before the next backend is asked; only what may succeed later is repeated."),
  breaker: z
    .strictObject({
      failures: z.int().positive().max(100).default(3).describe("Failures in a row after which it is left alone."),
      openMs: z.int().positive().max(600_000).default(15_000).describe("How long; then one row tries it, and decides."),
    })
    .prefault({}),
};
const key = environment.optional().describe("Environment variable with its key; never written here.");
const model = z.string().min(1).describe("The model's name there.");

/** One backend of a fallback. */
export const fallbackLeg = z.discriminatedUnion("backend", [
  z
    .strictObject({ backend: z.literal("openai"), ...common, url, model, key })
    .describe("Chat completions of OpenAI, vLLM and whatever else speaks /v1; `url` ends in /v1."),
  z.strictObject({ backend: z.literal("ollama"), ...common, url, model, key }).describe("Ollama's /api/chat."),
  z
    .strictObject({ backend: z.literal("oip"), ...common, url, model, version: z.string().min(1).optional(), key })
    .describe("Triton's generate extension of the Open Inference Protocol: text_input → text_output."),
  z
    .strictObject({ backend: z.literal("hf-inference"), ...common, model })
    .describe("Hugging Face's inference providers, with HF_TOKEN and HF_INFERENCE_ENDPOINT."),
  z
    .strictObject({ backend: z.literal("onnx"), ...common, model: z.string().min(1) })
    .describe("A local model with a text head, by its id; it reads the row as it is."),
]);
export type FallbackLeg = z.infer<typeof fallbackLeg>;

/** What answers and metrics call a backend. */
export const legName = ({ name, backend }: Pick<FallbackLeg, "name" | "backend">): string => name ?? backend;
