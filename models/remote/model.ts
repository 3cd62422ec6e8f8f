import type { Diagnostic } from "../core/errors.ts";
import type { Row } from "../core/row.ts";
import { accessFrom } from "./access.ts";
import { createBreaker, type BreakerState } from "./breaker.ts";
import { CallError } from "./call-error.ts";
import { createClient, type CallEnd, type Client, type TokenUsage } from "./client.ts";
import { RemoteFailure } from "./failure.ts";
import type { RemoteManifest } from "./manifest.ts";
import { promptOf, type ChatMessage } from "./prompt.ts";
import { pause } from "./pause.ts";
import { retryDelayMs } from "./retry.ts";

export type RemoteDeps = {
  /** HF_TOKEN and HF_INFERENCE_ENDPOINT. */
  env: Readonly<Record<string, string | undefined>>;
  fetch: typeof fetch;
  /** Milliseconds; default: `performance.now`. */
  now?: () => number;
  /** In [0, 1); default: `Math.random`. */
  random?: () => number;
  /** Of a fallback: its local models, by id. */
  local?: ReadonlyMap<string, LocalText>;
};

/** A model of this machine that answers a row with a text. */
export type LocalText = (row: Row) => Promise<{ text: string; finishReason: string }>;

/** Events for metrics and logs. They hold nothing of any prompt or answer. */
export type RemoteEvents = {
  /** One row is finished; `result` is "success" or the reason of the failure. */
  answered(row: {
    result: string;
    inferenceMs: number;
    firstTokenMs: number | null;
    inputTokens: number;
    outputTokens: number;
  }): void;
  retried(error: CallError, attempt: number, delayMs: number): void;
  /** @param backend of a fallback, which has several breakers */
  circuit(state: BreakerState, backend?: string): void;
  /** Of a fallback: one backend was asked; `result` is "success", "partial", or the reason of the failure. */
  attempted?(attempt: { backend: string; result: string; ms: number }): void;
};

/**
 * `firstTokenMs` and `inferenceMs` count from the start of the first call and include retries and the waits between
 * them.
 */
export type RemoteAnswer = {
  text: string;
  /** "stop", or "length" when the answer was cut at its token limit. */
  finishReason: string;
  usage: TokenUsage | null;
  firstTokenMs: number;
  inferenceMs: number;
  /** Of a fallback: which of its backends answered. */
  backend?: string;
  /** The answer broke off after its first piece had been handed on, so that nobody else could be asked. */
  partial?: boolean;
};

/** How long a caller waits. `deadlineAt` is on the clock of the model's `now`. */
export type AskLimits = {
  deadlineAt: number;
  signal?: AbortSignal | undefined;
  /** What a local model of a fallback reads. */
  row?: Row;
  /** Nobody sees the pieces before the end, so an answer that breaks off may be made again by the next backend. */
  unseen?: boolean;
};

/** A backend of a fallback as it is now. */
type BackendState = {
  name: string;
  backend: string;
  model: string;
  circuit: { state: BreakerState; retryInMs: number };
  /** What has to be set before it can be asked; null when nothing is missing. */
  missing: string | null;
};

export type RemoteModel = {
  /** What has to be set before the model can be asked; null when nothing is missing. */
  missing: Diagnostic | null;
  circuit(): { state: BreakerState; pauseMs: number };
  /** Of a fallback, in the order in which they are tried. */
  backends?(): BackendState[];
  /**
   * Makes a row's prompt. This comes before the row waits for its turn, so that a bad row is refused at once.
   *
   * @throws RowError; RemoteFailure "not-configured", or "circuit-open" while no row may be tried.
   */
  prepare(row: Row): ChatMessage[];
  /**
   * Yields the answer's text piece by piece, then returns the whole answer. Failed calls are repeated as the manifest
   * allows, but never after the first piece: a second call would give another text.
   *
   * @throws RemoteFailure, perhaps after some pieces.
   */
  ask(prompt: readonly ChatMessage[], limits: AskLimits): AsyncGenerator<string, RemoteAnswer>;
};

/**
 * A model that a provider runs: one client with its retries, its time limit and its circuit breaker. The caller limits
 * how many rows are asked at the same time.
 *
 * @throws ConfigurationError for an endpoint that cannot be used; RowError for a serving example that is no valid row.
 */
export function openRemoteModel(manifest: RemoteManifest, events: RemoteEvents, deps: RemoteDeps): RemoteModel {
  const now = deps.now ?? (() => performance.now());
  const random = deps.random ?? Math.random;
  for (const example of manifest.serving.examples) promptOf(manifest, example);
  const configured = accessFrom(deps.env);
  const client = "access" in configured ? createClient(manifest, configured.access, deps) : null;
  const missing = "missing" in configured ? configured.missing : null;
  const breaker = createBreaker(manifest.breaker, now, events.circuit);

  function usableClient(): Client {
    if (client === null)
      throw new RemoteFailure("not-configured", `${missing!.problem}; set ${missing!.expected}`, 60_000);
    return client;
  }

  async function* ask(prompt: readonly ChatMessage[], limits: AskLimits): AsyncGenerator<string, RemoteAnswer> {
    const call = usableClient();
    const permit = breaker.admit();
    const startedAt = now();
    const deadlineAt = Math.min(limits.deadlineAt, startedAt + manifest.limits.timeoutMs);
    const stop = new AbortController();
    const timer = setTimeout(
      () => stop.abort(new RemoteFailure("deadline", "the remote model did not answer within the deadline")),
      Math.max(0, deadlineAt - now()),
    );
    const cancel = () => stop.abort(new RemoteFailure("cancelled", "the client went away"));
    if (limits.signal?.aborted === true) cancel();
    limits.signal?.addEventListener("abort", cancel);
    let firstTokenMs: number | null = null;
    let text = "";
    let result = "cancelled";
    let end: CallEnd = { finishReason: "", usage: null };
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          const pieces = call(prompt, stop.signal);
          for (;;) {
            const { value, done } = await pieces.next();
            if (done) {
              end = value;
              break;
            }
            firstTokenMs ??= now() - startedAt;
            text += value;
            yield value;
          }
          if (text === "") throw new CallError("the provider's answer is empty", { transient: true });
          break;
        } catch (error) {
          stop.signal.throwIfAborted();
          if (!(error instanceof CallError)) throw error;
          const delayMs = retryDelayMs(attempt, error.retryAfterMs, manifest.retry, random);
          if (
            firstTokenMs !== null ||
            !error.transient ||
            attempt >= manifest.retry.attempts ||
            now() + delayMs >= deadlineAt
          )
            throw error;
          events.retried(error, attempt, delayMs);
          await pause(delayMs, stop.signal);
        }
      }
      permit.succeeded();
      result = "success";
      const inferenceMs = now() - startedAt;
      return { text, ...end, firstTokenMs: firstTokenMs ?? inferenceMs, inferenceMs };
    } catch (error) {
      const failure = error instanceof CallError ? failureOf(error, firstTokenMs !== null) : error;
      result = failure instanceof RemoteFailure ? failure.reason : "error";
      if (result === "cancelled") permit.abandoned();
      // A request with less time than the model may take does not prove that the model is down.
      else if (result === "deadline" && limits.deadlineAt < startedAt + manifest.limits.timeoutMs) permit.abandoned();
      else permit.failed(error instanceof CallError ? (error.retryAfterMs ?? 0) : 0);
      throw failure;
    } finally {
      clearTimeout(timer);
      limits.signal?.removeEventListener("abort", cancel);
      // When the consumer stops early, no result was reported above. Otherwise this call is ignored.
      permit.abandoned();
      stop.abort();
      events.answered({
        result,
        inferenceMs: now() - startedAt,
        firstTokenMs,
        inputTokens: end.usage?.inputTokens ?? 0,
        outputTokens: end.usage?.outputTokens ?? 0,
      });
    }
  }

  return {
    missing,
    circuit: () => ({ state: breaker.state(), pauseMs: breaker.pauseMs() }),
    prepare(row) {
      usableClient();
      const prompt = promptOf(manifest, row);
      // `admit` throws while the breaker is open, so that no row waits for a turn that it cannot use.
      if (breaker.state() === "open") breaker.admit();
      return prompt;
    },
    ask,
  };
}

/** A failed call as an error whose message a client may see. */
export function failureOf(error: CallError, begun: boolean): RemoteFailure {
  if (error.status === 401 || error.status === 403)
    return new RemoteFailure(
      "remote-refused",
      `the provider does not accept the server's token (${error.status}); HF_TOKEN must be allowed to call inference providers`,
    );
  if (error.status === 429)
    return new RemoteFailure("remote-busy", "the provider limits the rate of requests", error.retryAfterMs ?? 1000);
  if (error.status === 503)
    return new RemoteFailure("remote-busy", "the provider is not available now", error.retryAfterMs ?? 1000);
  return new RemoteFailure("remote-failed", begun ? `the answer broke off: ${error.message}` : error.message);
}
