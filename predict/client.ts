import { z } from "zod";
import { STANDARD_ANSWER } from "../models/core/media-type.ts";
import { retryAfterMs } from "../models/core/retry-after.ts";

/** A request without an answer. `status` is null when the server sent no usable response. */
export type Failure = { ok: false; status: number | null; code: string; detail: string; retryAfterMs: number | null };
/** A field whose value the server replaced. */
export type Note = { field: string; problem: string; used: string };
/** A rule that fired, and why; or what a feature adds to the result of the model's trees. */
export type Reason = z.infer<typeof reasonSchema>;
export type RowReply =
  | { heads: Record<string, Record<string, unknown>>; reasons: Reason[]; notes: Note[] }
  | { error: { status: number; code: string; detail: string } };
export type BatchReply = { ok: true; model: string; version: string; rows: RowReply[]; latencyMs: number };

export type ClientDeps = { fetch: typeof fetch; nowMs: () => number; signal: AbortSignal };
export type Connection = { origin: string; headers: Record<string, string>; timeoutMs: number };

const reasonSchema = z.union([
  z.object({ rule: z.string(), reason: z.string().optional() }),
  z.object({ feature: z.string(), value: z.unknown().optional(), contribution: z.number() }),
]);
const problemSchema = z.object({
  code: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
});
const rowProblemSchema = z
  .object({
    status: z.number(),
    code: z.string().default(""),
    detail: z.string().optional(),
    title: z.string().optional(),
  })
  .transform(({ status, code, detail, title }) => ({ status, code, detail: detail ?? title ?? `answered ${status}` }));
const batchSchema = z.object({
  model: z.string(),
  version: z.string(),
  predictions: z.array(
    z.union([
      z.object({
        heads: z.record(z.string(), z.record(z.string(), z.unknown())),
        reasons: z.array(reasonSchema).default([]),
        notes: z.array(z.object({ field: z.string(), problem: z.string(), used: z.string() })).default([]),
      }),
      z.object({ error: rowProblemSchema }),
    ]),
  ),
});

/**
 * Makes one request and returns the JSON of a 200, or why there is none. Throws only when the run's own signal is
 * aborted.
 */
export async function request(
  connection: Connection,
  path: string,
  body: string | null,
  deps: ClientDeps,
): Promise<Failure | { ok: true; json: unknown; latencyMs: number }> {
  const began = deps.nowMs();
  const timeout = AbortSignal.timeout(connection.timeoutMs);
  try {
    const response = await deps.fetch(connection.origin + path, {
      // Following a redirect would lose the rows of a POST, or send the key elsewhere.
      redirect: "manual",
      signal: AbortSignal.any([deps.signal, timeout]),
      method: body === null ? "GET" : "POST",
      body,
      headers: {
        accept: `${STANDARD_ANSWER}, application/json`,
        "x-request-timeout-ms": String(Math.min(600_000, connection.timeoutMs)),
        ...connection.headers,
        ...(body === null ? {} : { "content-type": "application/json" }),
      },
    });
    const text = await response.text();
    const latencyMs = deps.nowMs() - began;
    if (response.status === 200) {
      try {
        return { ok: true, json: JSON.parse(text) as unknown, latencyMs };
      } catch {
        return failure(null, "bad-answer", "the answer is not JSON");
      }
    }
    return refusal(response, text);
  } catch (error) {
    deps.signal.throwIfAborted();
    if (timeout.aborted) return failure(null, "timeout", `no answer within ${connection.timeoutMs} ms`);
    const cause = (error as { cause?: { code?: string; message?: string } }).cause;
    return failure(
      null,
      "network",
      `the connection failed: ${cause?.code ?? cause?.message ?? (error as Error).message}`,
    );
  }
}

/**
 * @param model id in the path.
 * @param rows JSON texts of the rows, in order.
 */
export async function requestBatch(
  connection: Connection,
  model: string,
  rows: readonly string[],
  deps: ClientDeps,
): Promise<Failure | BatchReply> {
  const reply = await request(
    connection,
    `/models/${encodeURIComponent(model)}/predict/batch`,
    `{"rows":[${rows.join(",")}]}`,
    deps,
  );
  if (!reply.ok) return reply;
  const parsed = batchSchema.safeParse(reply.json);
  if (!parsed.success)
    return failure(
      null,
      "bad-answer",
      `the answer is none of a batch: ${parsed.error.issues[0]!.path.join(".")}: ${parsed.error.issues[0]!.message}`,
    );
  if (parsed.data.predictions.length !== rows.length)
    return failure(null, "bad-answer", `${parsed.data.predictions.length} answers to ${rows.length} rows`);
  return {
    ok: true,
    model: parsed.data.model,
    version: parsed.data.version,
    rows: parsed.data.predictions,
    latencyMs: reply.latencyMs,
  };
}

function refusal(response: Response, text: string): Failure {
  const { status, headers } = response;
  if (status >= 300 && status < 400)
    return failure(status, "redirect", `the server sends to ${headers.get("location")?.slice(0, 200) ?? "elsewhere"}`);
  let problem: z.infer<typeof problemSchema> = {};
  try {
    problem = problemSchema.catch({}).parse(JSON.parse(text));
  } catch {
    // Not JSON, perhaps a proxy's page: the status says enough.
  }
  return {
    ...failure(
      status,
      problem.code ?? `http-${status}`,
      problem.detail ?? problem.title ?? `the server answers ${status}`,
    ),
    retryAfterMs: retryAfterMs(headers.get("retry-after"), Date.now()),
  };
}

const failure = (status: number | null, code: string, detail: string): Failure => ({
  ok: false,
  status,
  code,
  detail: detail.slice(0, 500),
  retryAfterMs: null,
});
