import { EvaluationError } from "../models/core/errors.ts";
import { ask, type AskContext, type AskDeps, type Outcome } from "./ask.ts";
import { stopError, type Card } from "./card.ts";
import type { Connection } from "./client.ts";
import type { Item } from "../eval/dataset/formats/items.ts";
import { batcher } from "./input.ts";
import type { Counts, Output } from "./output.ts";
import { createPace } from "./pace.ts";
import type { Policy } from "./policy.ts";
import type { Source } from "./source.ts";

export type Job = {
  source: Pick<Source, "items">;
  connection: Connection;
  card: Card;
  output: Output;
  policy: Policy;
  concurrency: number;
  /** Maximum number of rows per request; the server's limit may be lower. */
  maxRows: number;
  /** Number of consecutive final failures that end the run. */
  giveUpAfter: number;
};

export type RunDeps = Omit<AskDeps, "signal" | "sleep"> & {
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  done: (rows: number) => void;
};
/** `earlier`: rows that an earlier run answered. */
export type RunSummary = { counts: Counts; earlier: number; requests: number; retries: number; seconds: number };

const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** Number of batches per lane that may be finished, or under way, after the oldest unfinished one. */
const AHEAD_PER_LANE = 4;

/**
 * Asks for every row that the output lacks and appends the answers in order, in whole rows. Rows that failed are
 * written only when a later row was answered, or at the end. So when a run gives up, its last failures are left to the
 * next run.
 *
 * @throws EvaluationError `predict-gave-up`, and what `ask` throws; by then all answers up to the first gap are written
 */
export async function predictRows(job: Job, deps: RunDeps): Promise<RunSummary> {
  const { card, connection, output } = job;
  const counts = { ...output.counts };
  const counters = { requests: 0, retries: 0 };
  const cancel = new AbortController();
  const own: AskDeps = { ...deps, signal: cancel.signal, sleep: (ms) => deps.sleep(ms, cancel.signal) };
  const pace = createPace({ concurrency: job.concurrency, maxRows: Math.min(job.maxRows, card.limits.maxRows) }, own);
  let earlier = output.rows;
  const batches = batcher(
    unanswered(job.source.items(card.fields, output.rows), output, (rows) => (earlier += rows)),
    pace.rows,
    Math.min(MAX_BODY_BYTES, card.limits.maxBodyBytes - 64),
  );
  const beganMs = deps.nowMs();

  let written = 0;
  let held: Outcome[] = [];
  let writing: Promise<void> = Promise.resolve();
  const finished = new Map<number, Outcome[]>();
  let blocked: (() => void)[] = [];
  const write = async () => {
    for (let batch = finished.get(written); batch !== undefined; batch = finished.get(written)) {
      finished.delete(written);
      written += 1;
      held.push(...batch);
      if (batch.some((one) => one.kind !== "failed")) await flush();
      deps.done(earlier + tally(counts) + held.length - tally(output.counts));
      for (const one of blocked.splice(0)) one();
    }
  };
  const flush = async () => {
    const rows = held;
    held = [];
    if (rows.length === 0) return;
    await output.append(rows);
    for (const { kind } of rows) counts[kind] += 1;
  };

  let failures = 0;
  const askContext: AskContext = {
    connection,
    card,
    policy: job.policy,
    pace,
    counters,
    onRequestEnd(answered, why) {
      failures = answered ? 0 : failures + 1;
      if (failures >= job.giveUpAfter)
        throw new EvaluationError({
          code: "predict-gave-up",
          place: connection.origin,
          problem: `given up after ${failures} failures in a row; the last: ${why}`,
          hint: "the same command goes on where this run ended",
        });
    },
    stopError: (failure) => stopError(failure, connection, connection.origin, own),
  };

  let next = 0;
  const lane = async () => {
    for (;;) {
      while (next - written >= job.concurrency * AHEAD_PER_LANE) {
        cancel.signal.throwIfAborted();
        await new Promise<void>((resolve) => {
          blocked.push(resolve);
        });
      }
      cancel.signal.throwIfAborted();
      const sequence = next++;
      const batch = await batches.take();
      if (batch === null) return;
      finished.set(sequence, await ask(batch, askContext, own));
      writing = writing.then(write);
      await writing;
    }
  };
  const end = (reason: unknown) => {
    cancel.abort(reason);
    for (const one of blocked.splice(0)) one();
  };
  await Promise.all(
    Array.from({ length: job.concurrency }, () =>
      lane().catch((error: unknown) => {
        if (!cancel.signal.aborted) end(error);
      }),
    ),
  );
  await batches.close();
  // An error of the writing has already ended the run.
  await writing.catch(() => {});
  if (cancel.signal.aborted) throw cancel.signal.reason;
  await flush();
  return { counts, earlier, ...counters, seconds: (deps.nowMs() - beganMs) / 1000 };
}

/** Rows that are looked up at a time among those that have an answer. */
const LOOKED_UP_ROWS = 200;

/** The rows that the output does not say to have an answer of this very model to this very input. */
async function* unanswered(
  items: AsyncGenerator<Item>,
  { answered }: Pick<Output, "answered">,
  skipped: (rows: number) => void,
): AsyncGenerator<Item> {
  if (answered === undefined) return yield* items;
  const left = async function* (some: readonly Item[]) {
    const known = await answered(some);
    skipped(known.size);
    for (const item of some) if (!known.has(item.id)) yield item;
  };
  let some: Item[] = [];
  for await (const item of items) {
    some.push(item);
    if (some.length < LOOKED_UP_ROWS) continue;
    yield* left(some);
    some = [];
  }
  if (some.length > 0) yield* left(some);
}

export const tally = (counts: Counts): number => counts.predicted + counts.refused + counts.failed;
