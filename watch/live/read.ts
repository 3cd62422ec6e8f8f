import { z } from "zod";
import { EvaluationError, type Diagnostic } from "../../models/core/errors.ts";
import { liveCounts, type LiveCounts } from "../../models/profile/live.ts";

const TIMEOUT_MS = 30_000;
const LARGEST_BYTES = 64_000_000;

export type ReadDeps = {
  fetch: typeof fetch;
  /** Headers for a server: its API key. */
  headersOf?: (origin: string) => Record<string, string>;
  signal?: AbortSignal;
};

/**
 * The counts of one model at one server.
 *
 * @param origin http(s)://HOST, without a final slash
 * @throws EvaluationError `watch-unreachable`, `watch-answer`
 */
export async function readLive(origin: string, model: string, deps: ReadDeps): Promise<LiveCounts> {
  const url = `${origin}/models/${model}/watch`;
  const json = await getJson(url, origin, deps);
  const parsed = liveCounts.safeParse(json);
  if (parsed.success && parsed.data.model.id === model) return parsed.data;
  throw new EvaluationError({
    code: "watch-answer",
    place: url,
    problem: "the answer does not fit its schema",
    expected: "schemas/live-counts.schema.json",
    received: parsed.success
      ? `counts of ${parsed.data.model.id}`
      : `${parsed.error.issues[0]?.path.join(".")}: ${parsed.error.issues[0]?.message}`,
    hint: "server and command may be of different versions",
  });
}

const listed = z.object({ models: z.array(z.object({ id: z.string(), backend: z.string().optional() })) });

/** Ids of the models with weights of their own that a server serves. @throws EvaluationError as `readLive` */
export async function readModels(origin: string, deps: ReadDeps): Promise<string[]> {
  const url = `${origin}/models`;
  const parsed = listed.safeParse(await getJson(url, origin, deps));
  if (parsed.success)
    return parsed.data.models.filter(({ backend }) => backend === undefined || backend === "local").map(({ id }) => id);
  throw new EvaluationError({
    code: "watch-answer",
    place: url,
    problem: "the answer is not a list of models",
    expected: '{"models": [{"id": "births"}]}',
  });
}

/** The text of /metrics of a server. @throws EvaluationError as `readLive` */
export async function readMetricsText(origin: string, deps: ReadDeps): Promise<string> {
  return getText(`${origin}/metrics`, origin, deps, "text/plain");
}

/** @throws EvaluationError `watch-unreachable`, `watch-answer` */
async function getJson(url: string, origin: string, deps: ReadDeps): Promise<unknown> {
  const text = await getText(url, origin, deps, "application/json");
  try {
    return JSON.parse(text);
  } catch {
    throw new EvaluationError({
      code: "watch-answer",
      place: url,
      problem: "the answer is not JSON",
      expected: "a JSON object",
    });
  }
}

/** @throws EvaluationError `watch-unreachable`, `watch-answer` */
async function getText(url: string, origin: string, deps: ReadDeps, accept: string): Promise<string> {
  const refuse = (code: string, own: Omit<Diagnostic, "code" | "place">) =>
    new EvaluationError({ code, place: url, ...own });
  let response: Response;
  let text: string;
  try {
    response = await deps.fetch(url, {
      redirect: "error",
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(deps.signal === undefined ? [] : [deps.signal])]),
      headers: { accept, ...deps.headersOf?.(origin) },
    });
    text = await response.text();
  } catch (error) {
    deps.signal?.throwIfAborted();
    const cause = (error as Error).cause;
    throw refuse("watch-unreachable", {
      problem: "the server does not answer",
      expected: "an answer within 30 seconds",
      received: cause instanceof Error ? cause.message : (error as Error).message,
      hint: "is the Space running? a sleeping one counts nothing",
    });
  }
  const said = /"detail":"([^"]{1,200})/.exec(text)?.[1];
  if (!response.ok || text.length > LARGEST_BYTES)
    throw refuse("watch-answer", {
      problem: url.endsWith("/metrics") ? "the server shows no metrics" : "the server has no counts of this model",
      expected: "200",
      received: `${response.status}${said === undefined ? "" : `: ${said}`}`,
      ...(response.status === 401 ? { hint: "set SLUICE_API_KEY" } : {}),
      ...(response.status === 404 ? { hint: "an older server has no /watch: deploy the model again" } : {}),
    });
  return text;
}
