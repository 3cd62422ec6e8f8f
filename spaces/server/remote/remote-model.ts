import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Diagnostic } from "../../../models/core/errors.ts";
import type { LoadedRemote } from "../../../models/core/predictor/load.ts";
import { RowError, type Row } from "../../../models/core/row.ts";
import { promptOf, remoteRowSchema, type ChatMessage } from "../../../models/remote/prompt.ts";
import { Refused } from "../scheduling/refused.ts";
import type { RequestDeadline } from "../scheduling/scheduler.ts";
import type { Prediction, RowOutcome, ServedModel } from "../serving/served-model.ts";
import { accessFrom } from "./access.ts";
import { createBreaker, type BreakerState } from "./breaker.ts";
import { CallFailure, createChat, type Chat, type ChatEnd } from "./chat.ts";
import { retryDelayMs } from "./retry.ts";
import { createTurns } from "./turns.ts";

/** Told of what happened, for metrics and the log; nothing of any content. */
export type RemoteEvents = {
  waited(queueMs: number): void;
  /** One row: with an answer, or with the reason why not. */
  answered(row: {
    result: string;
    inferenceMs: number;
    firstTokenMs: number | null;
    inputTokens: number;
    outputTokens: number;
  }): void;
  retried(failure: CallFailure, attempt: number, delayMs: number): void;
  circuit(state: BreakerState): void;
};

export type RemoteDeps = {
  env: Readonly<Record<string, string | undefined>>;
  fetch: typeof fetch;
  now?: () => number;
  random?: () => number;
};

/**
 * A model that a remote provider runs, with the same face as one that runs here. Without a token it is there too, and
 * says what to set.
 *
 * @throws ConfigurationError for an endpoint that cannot be used, or an example that is no row.
 */
export async function loadRemoteModel(
  loaded: LoadedRemote,
  events: RemoteEvents,
  deps: RemoteDeps,
): Promise<ServedModel> {
  const { manifest, dir } = loaded;
  const now = deps.now ?? (() => performance.now());
  const random = deps.random ?? Math.random;
  for (const example of manifest.serving.examples) promptOf(manifest, example);
  const configured = accessFrom(deps.env);
  const chat = "access" in configured ? createChat(manifest, configured.access, deps) : null;
  const missing = "missing" in configured ? configured.missing : null;
  const turns = createTurns(manifest.limits, now);
  const breaker = createBreaker(manifest.breaker, now, events.circuit);
  const rows = remoteRowSchema(manifest);
  const loadedAt = new Date().toISOString();
  const readme = await readFile(join(dir, "README.md"), "utf8").catch(() => null);

  async function* stream(row: Row, requestDeadline: RequestDeadline): AsyncGenerator<string, Prediction> {
    if (chat === null) throw new Refused("not-configured", `${missing!.problem}; set ${missing!.expected}`, 60_000);
    let messages: ChatMessage[];
    try {
      messages = promptOf(manifest, row);
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      return {
        outcome: { ok: false, refused: true, field: error.field, diagnostic: error.diagnostic },
        timing: { queueMs: 0, inferenceMs: 0 },
      };
    }
    const enqueuedAt = now();
    if (breaker.state() === "open") breaker.admit(); // throws: nobody waits for a turn that will not be used
    const giveBack = await turns.take(requestDeadline);
    try {
      const queueMs = now() - enqueuedAt;
      events.waited(queueMs);
      return yield* answer(chat, messages, queueMs, requestDeadline);
    } finally {
      giveBack();
    }
  }

  async function* answer(
    call: Chat,
    messages: readonly ChatMessage[],
    queueMs: number,
    requestDeadline: RequestDeadline,
  ): AsyncGenerator<string, Prediction> {
    const permit = breaker.admit();
    const startedAt = now();
    const deadlineAt = Math.min(requestDeadline.deadlineAt, startedAt + manifest.limits.timeoutMs);
    const stop = new AbortController();
    const timer = setTimeout(
      () => stop.abort(new Refused("deadline", "the remote model did not answer within the deadline")),
      Math.max(0, deadlineAt - now()),
    );
    const abort = () => stop.abort(new Refused("cancelled", "the client went away"));
    if (requestDeadline.disconnect?.aborted) abort();
    requestDeadline.disconnect?.onAborted(abort);
    let firstTokenMs: number | null = null;
    let text = "";
    let result = "cancelled";
    let end: ChatEnd = { finishReason: "", usage: null };
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          const pieces = call(messages, stop.signal);
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
          if (text === "") throw new CallFailure("the provider's answer is empty", { passing: true });
          break;
        } catch (error) {
          stop.signal.throwIfAborted();
          if (!(error instanceof CallFailure)) throw error;
          const delayMs = retryDelayMs(attempt, error.retryAfterMs, manifest.retry, random);
          // A second call would tell another text than the one that has begun.
          if (
            firstTokenMs !== null ||
            !error.passing ||
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
      return {
        outcome: {
          ok: true,
          heads: { [manifest.head]: { kind: "text", text, finishReason: end.finishReason, usage: end.usage } },
        },
        timing: { queueMs, inferenceMs, firstTokenMs: firstTokenMs ?? inferenceMs },
      };
    } catch (error) {
      const refused = error instanceof CallFailure ? refusal(error, firstTokenMs !== null) : error;
      result = refused instanceof Refused ? refused.reason : "error";
      if (result === "cancelled") permit.abandoned();
      // A request that asks for less than the model needs does not prove the model to be down.
      else if (result === "deadline" && requestDeadline.deadlineAt < startedAt + manifest.limits.timeoutMs)
        permit.abandoned();
      else permit.failed(error instanceof CallFailure ? (error.retryAfterMs ?? 0) : 0);
      throw refused;
    } finally {
      clearTimeout(timer);
      // Reached without either of the above when the reader stopped in the middle.
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

  const predict = async (row: Row, requestDeadline: RequestDeadline): Promise<Prediction> => {
    const pieces = stream(row, requestDeadline);
    for (;;) {
      const { value, done } = await pieces.next();
      if (done) return value;
    }
  };

  return {
    id: manifest.id,
    version: manifest.version,
    digest: `${manifest.model}:${manifest.version}`,
    rowSchema: rows,
    example: manifest.serving.examples[0] ?? null,
    imageFields: [],
    maxRows: manifest.limits.maxRows,
    condition: () =>
      missing === null ? { state: "ready", diagnostic: null } : { state: "not-configured", diagnostic: missing },
    card: () => ({
      task: manifest.task,
      description: manifest.description,
      ...(manifest.license === undefined ? {} : { license: manifest.license }),
      backend: manifest.backend,
      input: {
        schema: z.toJSONSchema(rows, { io: "input", unrepresentable: "any" }),
        examples: manifest.serving.examples,
      },
      heads: [{ name: manifest.head, kind: "text" }],
      remote: {
        model: manifest.model,
        parameters: manifest.parameters,
        circuit: { state: breaker.state(), retryInMs: Math.round(breaker.pauseMs()) },
        retry: manifest.retry,
        breaker: manifest.breaker,
        timeoutMs: manifest.limits.timeoutMs,
        concurrency: manifest.limits.concurrency,
        queue: manifest.limits.queue,
        prices: manifest.prices ?? null,
      },
      ...(manifest.pair === undefined ? {} : { pair: manifest.pair }),
      loadedAt,
      gate: null,
      readme,
    }),
    predict,
    async predictMany(many, requestDeadline) {
      const outcomes = new Array<RowOutcome>(many.length);
      const timing = { queueMs: 0, inferenceMs: 0 };
      let next = 0;
      const lane = async () => {
        while (next < many.length) {
          const index = next++;
          try {
            const one = await predict(many[index]!, requestDeadline);
            outcomes[index] = one.outcome;
            timing.queueMs += one.timing.queueMs;
            timing.inferenceMs += one.timing.inferenceMs;
          } catch (error) {
            if (!(error instanceof Refused) || error.reason === "cancelled" || error.reason === "not-configured")
              throw error;
            outcomes[index] = {
              ok: false,
              refused: false,
              field: null,
              diagnostic: diagnosticOf(error),
              failure: error,
            };
          }
        }
      };
      await Promise.all(Array.from({ length: Math.min(many.length, manifest.limits.concurrency) }, lane));
      return { outcomes, timing };
    },
    stream,
    tensors: null,
    load: () => ({ queuedRows: turns.waiting(), runningGroups: turns.taken(), estimatedWaitMs: breaker.pauseMs() }),
    close: () => turns.close(),
  };
}

const diagnosticOf = (refused: Refused): Diagnostic => ({ code: refused.reason, problem: refused.message });

/** A failed call as what a client is told. */
function refusal(failure: CallFailure, begun: boolean): Refused {
  if (failure.status === 401 || failure.status === 403)
    return new Refused(
      "remote-refused",
      `the provider does not accept the server's token (${failure.status}); HF_TOKEN must be allowed to call inference providers`,
    );
  if (failure.status === 429)
    return new Refused("remote-busy", "the provider limits the rate of requests", failure.retryAfterMs ?? 1000);
  if (failure.status === 503)
    return new Refused("remote-busy", "the provider is not available now", failure.retryAfterMs ?? 1000);
  return new Refused("remote-failed", begun ? `the answer broke off: ${failure.message}` : failure.message);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
