import { z } from "zod";
import { rolloutStatus, type RolloutStatus } from "../../models/core/rollout/status.ts";
import { STANDARD_ANSWER } from "../../models/core/media-type.ts";

const maxBytes = 64 * 1024;

export type SpaceDeps = {
  fetch: typeof fetch;
  timeoutMs: number;
  /** The key of Spaces that ask for one; none if not set. */
  headersOf?: (origin: string) => Record<string, string>;
};
export type Answer<T> = { ok: true; value: T; ms: number } | { ok: false; why: string };

const info = z.looseObject({
  version: z.string().optional(),
  state: z.string().optional(),
  input: z
    .looseObject({
      schema: z
        .looseObject({ properties: z.record(z.string(), z.looseObject({ type: z.string().optional() })).catch({}) })
        .optional(),
      examples: z.array(z.record(z.string(), z.unknown())).catch([]),
    })
    .optional()
    .catch(undefined),
});
export type SpaceModel = z.infer<typeof info>;

/** Each kind of head has its own of these: a classification a label, a ranking items, a forecast values. */
const head = z.looseObject({
  label: z.string().optional(),
  score: z.number().optional(),
  value: z.number().optional(),
  items: z.array(z.looseObject({ id: z.string(), title: z.string().optional() })).optional(),
  values: z.array(z.number()).optional(),
  flagged: z.array(z.object({ step: z.number() })).optional(),
  spans: z.array(z.looseObject({ start: z.number(), end: z.number(), type: z.string(), text: z.string() })).optional(),
  text: z.string().optional(),
});
export type HeadAnswer = z.infer<typeof head>;
const prediction = z.looseObject({ version: z.string().optional(), heads: z.record(z.string(), head) });
export type Prediction = z.infer<typeof prediction>;

/** What a Space says about one of its models. */
export function askModel(deps: SpaceDeps, url: string, model: string): Promise<Answer<SpaceModel>> {
  return ask(deps, `${url}/models/${encodeURIComponent(model)}`, info);
}

export function askReady(deps: SpaceDeps, url: string): Promise<Answer<unknown>> {
  return ask(deps, `${url}/readyz`, z.unknown());
}

/** How a candidate beside the live version is doing; an answer of 404 where there is none. */
export function askRollout(deps: SpaceDeps, url: string, model: string): Promise<Answer<RolloutStatus>> {
  return ask(deps, `${url}/models/${encodeURIComponent(model)}/rollout`, rolloutStatus);
}

export function askPrediction(deps: SpaceDeps, url: string, model: string, row: unknown): Promise<Answer<Prediction>> {
  return ask(deps, `${url}/models/${encodeURIComponent(model)}/predict`, prediction, JSON.stringify(row));
}

/** One request with a time limit, without redirects, and with an answer of bounded size. It never throws. */
async function ask<T>(
  { fetch: transport, timeoutMs, headersOf }: SpaceDeps,
  url: string,
  schema: z.ZodType<T>,
  body?: string,
): Promise<Answer<T>> {
  const began = performance.now();
  try {
    const answer = await transport(url, {
      method: body === undefined ? "GET" : "POST",
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        accept: `${STANDARD_ANSWER}, application/json`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headersOf?.(new URL(url).origin),
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await bounded(answer);
    const ms = performance.now() - began;
    if (!answer.ok) return { ok: false, why: `HTTP ${answer.status}${detail(text)}` };
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success
      ? { ok: true, value: parsed.data, ms }
      : { ok: false, why: "an answer that is not a model's" };
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    return {
      ok: false,
      why:
        name === "TimeoutError"
          ? `no answer within ${timeoutMs / 1000} s`
          : error instanceof SyntaxError
            ? "an answer that is not JSON"
            : "cannot be reached",
    };
  }
}

async function bounded(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > maxBytes) throw new SyntaxError("too large");
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The `detail` of a problem+json body, if there is one. */
function detail(text: string): string {
  try {
    const problem = z
      .looseObject({ detail: z.string().optional(), title: z.string().optional() })
      .parse(JSON.parse(text));
    const words = problem.detail ?? problem.title;
    return words === undefined ? "" : `: ${words.slice(0, 200)}`;
  } catch {
    return "";
  }
}
