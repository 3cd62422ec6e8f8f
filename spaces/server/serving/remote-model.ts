import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { z } from "zod";
import type { LoadedRemote } from "../../../models/core/predictor/load.ts";
import type { TextResult } from "../../../models/core/postprocess/result.ts";
import { RowError, type Row } from "../../../models/core/row.ts";
import { RemoteFailure } from "../../../models/remote/failure.ts";
import type { RemoteDeps, RemoteEvents } from "../../../models/remote/model.ts";
import { openRemote } from "../../../models/remote/open.ts";
import { remoteRowSchema, type ChatMessage } from "../../../models/remote/prompt.ts";
import { Refused } from "../scheduling/refused.ts";
import type { RequestDeadline } from "../scheduling/scheduler.ts";
import { createTurns } from "../scheduling/turns.ts";
import type { Prediction, RowOutcome, ServedModel } from "./served-model.ts";

export type RemoteModelEvents = RemoteEvents & { waited(queueMs: number): void };

/**
 * A model that a remote provider runs, with the same interface as a local one. Without a token it is still served, and
 * says what to set.
 *
 * @throws ConfigurationError for an endpoint that cannot be used; RowError for an example that is no valid row.
 */
export async function loadRemoteModel(
  { manifest, dir }: LoadedRemote,
  events: RemoteModelEvents,
  deps: RemoteDeps & { close?: () => Promise<void> },
): Promise<ServedModel> {
  const now = deps.now ?? (() => performance.now());
  const remote = openRemote(manifest, events, deps);
  const turns = createTurns(manifest.limits, now);
  const rows = remoteRowSchema(manifest);
  const loadedAt = new Date().toISOString();
  const readme = await readFile(join(dir, "README.md"), "utf8").catch(() => null);

  /** @param unseen whether nobody sees the pieces before the end */
  async function* pieces(
    row: Row,
    requestDeadline: RequestDeadline,
    unseen: boolean,
  ): AsyncGenerator<string, Prediction> {
    let release = () => {};
    try {
      let prompt: ChatMessage[];
      try {
        prompt = remote.prepare(row);
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
        return {
          outcome: { ok: false, refused: true, field: error.field, diagnostic: error.diagnostic },
          timing: { queueMs: 0, inferenceMs: 0 },
        };
      }
      const enqueuedAt = now();
      release = await turns.take(requestDeadline);
      const queueMs = now() - enqueuedAt;
      events.waited(queueMs);
      const { deadlineAt, disconnect } = requestDeadline;
      const answer = yield* remote.ask(prompt, { deadlineAt, signal: disconnect?.signal(), row, unseen });
      const { text, finishReason, usage, inferenceMs, firstTokenMs, backend, partial } = answer;
      const head: TextResult = {
        kind: "text",
        text,
        finishReason,
        usage,
        ...(backend === undefined ? {} : { backend }),
        ...(partial === true ? { partial } : {}),
      };
      return {
        outcome: { ok: true, heads: { [manifest.head]: head } },
        timing: { queueMs, inferenceMs, firstTokenMs },
      };
    } catch (error) {
      throw error instanceof RemoteFailure ? new Refused(error.reason, error.message, error.retryAfterMs) : error;
    } finally {
      release();
    }
  }

  const predict = async (row: Row, requestDeadline: RequestDeadline): Promise<Prediction> => {
    const all = pieces(row, requestDeadline, true);
    for (;;) {
      const { value, done } = await all.next();
      if (done) return value;
    }
  };

  return {
    id: manifest.id,
    version: manifest.version,
    digest: `${manifest.id}:${manifest.version}`,
    cacheable: false,
    rowSchema: rows,
    example: manifest.serving.examples[0] ?? null,
    imageFields: [],
    maxRows: manifest.limits.maxRows,
    ...(manifest.serving.jobs === undefined ? {} : { jobs: manifest.serving.jobs }),
    condition: () =>
      remote.missing === null
        ? { state: "ready", diagnostic: null }
        : { state: "not-configured", diagnostic: remote.missing },
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
        ...(manifest.backend === "fallback"
          ? { model: manifest.fallback.map(({ model }) => model).join(", "), backends: remote.backends!() }
          : { model: manifest.model, retry: manifest.retry, breaker: manifest.breaker }),
        parameters: manifest.parameters,
        circuit: { state: remote.circuit().state, retryInMs: Math.round(remote.circuit().pauseMs) },
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
      const timing = { queueMs: 0, inferenceMs: 0 };
      const one = async (row: Row): Promise<RowOutcome> => {
        try {
          const { outcome, timing: own } = await predict(row, requestDeadline);
          timing.queueMs += own.queueMs;
          timing.inferenceMs += own.inferenceMs;
          return outcome;
        } catch (error) {
          if (!(error instanceof Refused) || error.reason === "cancelled" || error.reason === "not-configured")
            throw error;
          const diagnostic = { code: error.reason, problem: error.message };
          return { ok: false, refused: false, field: null, diagnostic, failure: error };
        }
      };
      return { outcomes: await pLimit(manifest.limits.concurrency).map(many, one), timing };
    },
    stream: (row, requestDeadline) => pieces(row, requestDeadline, false),
    tensors: null,
    watch: null,
    load: () => ({
      queuedRows: turns.waiting(),
      runningGroups: turns.taken(),
      estimatedWaitMs: remote.circuit().pauseMs,
    }),
    async close() {
      await turns.close();
      await deps.close?.();
    },
  };
}
