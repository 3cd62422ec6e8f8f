import { EvaluationError, type SluiceError } from "../models/core/errors.ts";
import type { Card } from "./card.ts";
import {
  requestBatch,
  type BatchReply,
  type ClientDeps,
  type Connection,
  type Failure,
  type Note,
  type Reason,
  type RowReply,
} from "./client.ts";
import type { Item } from "../eval/dataset/formats/items.ts";
import type { Pace } from "./pace.ts";
import { isRefusal, stepAfter, type Policy } from "./policy.ts";

/**
 * The outcome of a row. `predicted`: every head has an answer. `refused`: the input cannot be used. `failed`: the
 * server or the connection gave no answer. `latencyMs` is the time of the last request that held the row, with all rows
 * of that request.
 */
export type Outcome = { item: Item; latencyMs: number | null; attempts: number } & (
  | { kind: "predicted"; heads: Record<string, Record<string, unknown>>; reasons: Reason[]; notes: Note[] }
  | { kind: "refused" | "failed"; status: number | null; code: string; detail: string }
);

export type AskDeps = ClientDeps & {
  random: () => number;
  sleep: (ms: number) => Promise<void>;
  note: (text: string) => void;
};

export type AskContext = {
  connection: Connection;
  card: Card;
  policy: Policy;
  pace: Pace;
  counters: { requests: number; retries: number };
  /**
   * Called when a request has ended: with true when any row got an answer, with false when its rows get none. May throw
   * to end the run.
   */
  onRequestEnd: (answered: boolean, why: string) => void;
  /** The error that ends the run after such a refusal. */
  stopError: (failure: Failure) => Promise<SluiceError>;
};

type Piece = { items: (Item & { json: string })[]; attempt: number };
const SPLIT_INTO = 4;

/**
 * Asks for the rows of one batch until each has an outcome, in order. Requests follow one another; the policy bounds
 * every wait and every repetition. Repeating a request is safe, because a prediction changes nothing.
 *
 * @throws SluiceError when no other request would fare better, or another version of the model begins to answer
 */
export async function ask(batch: readonly Item[], context: AskContext, deps: AskDeps): Promise<Outcome[]> {
  const { connection, card, policy, pace, counters } = context;
  const outcomes = new Map<number, Outcome>();
  for (const item of batch)
    if ("malformed" in item)
      outcomes.set(item.row, {
        item,
        latencyMs: null,
        attempts: 0,
        kind: "refused",
        status: null,
        code: "malformed-row",
        detail: item.malformed,
      });
  const rows = batch.filter((item): item is Item & { json: string } => "json" in item);
  const pieces: Piece[] = rows.length === 0 ? [] : [{ items: rows, attempt: 1 }];

  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
    const { items, attempt } = piece;
    await pace.acquire();
    const beganMs = deps.nowMs();
    counters.requests += 1;
    if (attempt > 1) counters.retries += 1;
    const reply = asFailure(
      await requestBatch(
        connection,
        card.id,
        items.map((item) => item.json),
        deps,
      ).finally(() => pace.release()),
    );
    const latencyMs = deps.nowMs() - beganMs;

    if (reply.ok) {
      if (reply.version !== card.version)
        throw new EvaluationError({
          code: "predict-version",
          place: connection.origin,
          problem: `another version of ${card.id} answers now`,
          expected: card.version,
          received: reply.version,
          hint: "the rows so far are in the output; the rest need an output of their own",
        });
      pace.answered(items.length, latencyMs);
      const again: Piece["items"] = [];
      for (const [i, item] of items.entries()) {
        const outcome = outcomeOf(item, reply.rows[i]!, latencyMs, attempt);
        // A remote model may fail for some of the rows. They are repeated like any other failure.
        if (outcome.kind === "failed" && attempt < policy.attempts) again.push(item);
        else outcomes.set(item.row, outcome);
      }
      context.onRequestEnd(true, "");
      if (again.length > 0) {
        pieces.unshift({ items: again, attempt: attempt + 1 });
        const step = stepAfter(
          { ok: false, status: 503, code: "rows", detail: "", retryAfterMs: null },
          1,
          attempt,
          policy,
          deps.random,
        );
        if (step.do === "again") await deps.sleep(step.waitMs);
      }
      continue;
    }

    const step = stepAfter(reply, items.length, attempt, policy, deps.random);
    if (step.do === "stop") throw await context.stopError(reply);
    if (step.do === "fail") {
      const kind = isRefusal(reply.status) ? "refused" : "failed";
      for (const item of items)
        outcomes.set(item.row, {
          item,
          latencyMs,
          attempts: attempt,
          kind,
          status: reply.status,
          code: reply.code,
          detail: reply.detail,
        });
      context.onRequestEnd(kind === "refused", reply.detail);
      continue;
    }
    if (reply.status === 429 || reply.status === 503) {
      pace.busy(reply.retryAfterMs ?? 0);
      if (step.waitMs >= 1000)
        deps.note(`${reply.status} ${reply.code}: ${reply.detail}; again in ${(step.waitMs / 1000).toFixed(1)} s`);
    }
    if (step.do === "split") {
      pace.tooMany(items.length);
      const size = Math.ceil(items.length / SPLIT_INTO);
      pieces.unshift(
        ...Array.from({ length: Math.ceil(items.length / size) }, (_, i) => ({
          items: items.slice(i * size, (i + 1) * size),
          attempt: step.counts ? attempt + 1 : attempt,
        })),
      );
    } else pieces.unshift({ items, attempt: attempt + 1 });
    await deps.sleep(step.waitMs);
  }
  return batch.map((item) => outcomes.get(item.row)!);
}

/** A remote model that is down answers 200 with one failure per row. Such a reply counts as a failed request. */
function asFailure(reply: Failure | BatchReply): Failure | BatchReply {
  if (!reply.ok) return reply;
  const failures = reply.rows.filter((row) => "error" in row && !isRefusal(row.error.status)) as Extract<
    RowReply,
    { error: object }
  >[];
  return failures.length < reply.rows.length || failures.length === 0
    ? reply
    : { ok: false, ...failures[0]!.error, detail: withoutPlace(failures[0]!.error.detail), retryAfterMs: null };
}

/** The row's index within its request means nothing to the reader of that row's error. */
const withoutPlace = (detail: string): string => detail.replaceAll(/\brows\[\d+\](\.|: )?/g, "");

function outcomeOf(item: Item, reply: RowReply, latencyMs: number, attempts: number): Outcome {
  const base = { item, latencyMs, attempts };
  if ("heads" in reply)
    return { ...base, kind: "predicted", heads: reply.heads, reasons: reply.reasons, notes: reply.notes };
  const { status, code, detail } = reply.error;
  return { ...base, kind: isRefusal(status) ? "refused" : "failed", status, code, detail: withoutPlace(detail) };
}
