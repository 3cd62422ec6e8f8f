import type { Row } from "../../../models/core/preprocess/row-error.ts";
import type { GraphTensor } from "../../../models/core/tensors.ts";
import { EngineLost, type Engine, type Feeds, type RowAnswer } from "../engine/engine.ts";
import type { Departure } from "./departure.ts";
import type { BatchingPlan } from "./plan.ts";
import { formGroup } from "./group.ts";
import { Refused } from "./refused.ts";

export type Waiting = { queueMs: number; inferenceMs: number; /** Rows of the group that ran together. */ groupRows: number };
export type RowsTicket = Waiting & { answers: RowAnswer[] };
export type TensorsTicket = Waiting & { outputs: Record<string, GraphTensor> };

export type Limits = { maxQueueRows: number; maxQueueWaitMs: number };
/** Told of what happened, for metrics. */
export type SchedulerEvents = {
  ran(run: { rows: number; tokens: number; runs: number; inferenceMs: number; totalMs: number }): void;
  waited(queueMs: number): void;
};
export type Patience = { /** By the scheduler's clock. */ deadlineAt: number; departure?: Departure; /** Part of a request that was already let in. */ admitted?: boolean };

/** One submission that waits or runs. */
export type Entry = {
  rows: readonly Row[];
  feeds: { tensors: Feeds; fetches: readonly string[] | undefined; rows: number } | null;
  /** Tokens of the longest row, roughly; 1 where rows have no length. */
  length: number;
  enqueuedAt: number;
  deadlineAt: number;
  state: "queued" | "running" | "done";
  resolve: (ticket: never) => void;
  reject: (error: Error) => void;
};

export type Scheduler = {
  /** @throws Refused; what the engine throws. */
  rows(rows: readonly Row[], patience: Patience): Promise<RowsTicket>;
  tensors(feeds: Feeds, fetches: readonly string[] | undefined, rows: number, patience: Patience): Promise<TensorsTicket>;
  /** @throws Refused when a request that comes now would wait too long or not at all. */
  admit(rows: number, deadlineAt: number): void;
  estimatedWaitMs(): number;
  state(): { queuedRows: number; runningGroups: number };
  /** Keeps the scheduler from being drained between the pieces of one request; call what it returns when done. */
  hold(): () => void;
  /** Refuses what comes from now on; resolves when everything before is answered. */
  drain(): Promise<void>;
};

/** How much the newest run weighs in the moving estimate of a run's time. */
const NEWEST_WEIGHT = 0.2;

/**
 * The queue of one model in front of its engine. Submissions of one turn of the event loop, and those that arrive while
 * the engine is busy, run together as far as the plan allows; a lone one starts at once. Bounded by the estimated wait.
 * Past its deadline a submission is rejected; while it still waits, it also leaves the queue.
 */
export function createScheduler(engine: Engine, plan: BatchingPlan, limits: Limits, lengthOf: ((row: Row) => number) | null, events: SchedulerEvents, now: () => number = () => performance.now()): Scheduler {
  let queue: Entry[] = [];
  const pending = new Set<Entry>();
  let queuedRows = 0;
  let running = 0;
  let runMs = plan.runMs;
  let lastStart = 0;
  let flushing = false;
  let delayTimer: NodeJS.Timeout | null = null;
  let deadlineTimer: NodeJS.Timeout | null = null;
  let nextDeadline = Infinity;
  let draining = false;
  let held = 0;
  let drained: (() => void) | null = null;

  /** What an entry takes of the queue: its rows; tensors are one run, however many rows they hold. */
  const sizeOf = (entry: Entry) => (entry.feeds === null ? entry.rows.length : Math.min(entry.feeds.rows, plan.maxBatch));

  function finish(entry: Entry): boolean {
    if (entry.state === "done") return false;
    if (entry.state === "queued") queuedRows -= sizeOf(entry);
    entry.state = "done";
    pending.delete(entry);
    return true;
  }

  function settled(): void {
    if (draining && pending.size === 0 && running === 0 && held === 0) drained?.();
  }

  function drop(entry: Entry, why: Refused): void {
    const waited = entry.state === "queued";
    if (!finish(entry)) return;
    if (waited) queue = queue.filter((other) => other !== entry);
    entry.reject(why);
    settled();
  }

  function watchDeadline(deadlineAt: number): void {
    if (deadlineAt >= nextDeadline) return;
    nextDeadline = deadlineAt;
    if (deadlineTimer !== null) clearTimeout(deadlineTimer);
    deadlineTimer = setTimeout(checkDeadlines, Math.max(0, deadlineAt - now()));
  }

  function checkDeadlines(): void {
    deadlineTimer = null;
    nextDeadline = Infinity;
    const time = now();
    let next = Infinity;
    for (const entry of pending) {
      if (entry.deadlineAt <= time) drop(entry, new Refused("deadline", entry.state === "queued" ? "the request's deadline passed while it waited" : "the request's deadline passed while the model ran"));
      else next = Math.min(next, entry.deadlineAt);
    }
    if (next !== Infinity) watchDeadline(next);
  }

  function estimatedWaitMs(): number {
    const current = running < engine.slots ? 0 : Math.max(0, runMs - (now() - lastStart));
    return current + (Math.ceil(queuedRows / plan.maxBatch) * runMs) / engine.slots;
  }

  function admit(rows: number, deadlineAt: number): void {
    if (draining) throw new Refused("draining", "the model is being replaced or the server is stopping");
    const waitMs = estimatedWaitMs();
    if (queuedRows + Math.min(rows, plan.maxBatch) > limits.maxQueueRows) throw new Refused("queue-full", `${queuedRows} rows are waiting`, waitMs);
    if (waitMs > limits.maxQueueWaitMs) throw new Refused("queue-wait", `a request that came now would wait about ${Math.ceil(waitMs)} ms`, waitMs);
    if (now() + waitMs > deadlineAt) throw new Refused("queue-wait", `a request that came now would wait about ${Math.ceil(waitMs)} ms, past its deadline`, waitMs);
  }

  function submit<T>(part: Pick<Entry, "rows" | "feeds" | "length">, patience: Patience): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const entry: Entry = { ...part, enqueuedAt: now(), deadlineAt: patience.deadlineAt, state: "queued", resolve, reject };
      try {
        if (patience.departure?.gone === true) throw new Refused("cancelled", "the client went away");
        if (patience.admitted !== true) admit(sizeOf(entry), entry.deadlineAt);
        if (entry.enqueuedAt >= entry.deadlineAt) throw new Refused("deadline", "the request's deadline passed before it was queued");
      } catch (error) {
        reject(error as Error);
        return;
      }
      patience.departure?.onGone(() => drop(entry, new Refused("cancelled", "the client went away")));
      queue.push(entry);
      pending.add(entry);
      queuedRows += sizeOf(entry);
      watchDeadline(entry.deadlineAt);
      flushSoon();
    });
  }

  /** Everything that this turn of the event loop brings is seen before the first group is formed; that costs no time. */
  function flushSoon(): void {
    if (flushing || running >= engine.slots) return;
    flushing = true;
    setImmediate(() => {
      flushing = false;
      flush();
    });
  }

  function flush(): void {
    while (running < engine.slots && queue.length > 0) {
      if (delayed()) return;
      const group = formGroup(queue, plan, sizeOf);
      const chosen = new Set(group);
      queue = queue.filter((entry) => !chosen.has(entry));
      void start(group);
    }
  }

  /** Two or more rows that do not fill a batch may wait a little for others; one never does. */
  function delayed(): boolean {
    if (plan.maxDelayUs === 0 || queuedRows < 2 || queuedRows >= plan.maxBatch || draining) return false;
    const leftMs = queue[0]!.enqueuedAt + plan.maxDelayUs / 1000 - now();
    // Timers are no finer than a millisecond: what is left below that is not waited for.
    if (leftMs < 1) return false;
    delayTimer ??= setTimeout(() => {
      delayTimer = null;
      flush();
    }, Math.floor(leftMs));
    return true;
  }

  async function start(group: Entry[]): Promise<void> {
    const startedAt = now();
    lastStart = startedAt;
    running++;
    let groupRows = 0;
    for (const entry of group) {
      queuedRows -= sizeOf(entry);
      groupRows += sizeOf(entry);
      entry.state = "running";
      events.waited(startedAt - entry.enqueuedAt);
    }
    try {
      const [first] = group;
      if (first!.feeds !== null) await runTensors(first!, first!.feeds, startedAt);
      else await runRows(group, groupRows, startedAt);
    } catch (error) {
      const reason = error instanceof EngineLost ? new Refused("engine-lost", `the model's engine was lost: ${error.message}`) : (error as Error);
      for (const entry of group) if (finish(entry)) entry.reject(reason);
    } finally {
      running--;
      // In units of one full run: a large request's chunk counts as the runs that it is cut into.
      runMs += NEWEST_WEIGHT * ((now() - startedAt) / Math.max(1, groupRows / plan.maxBatch) - runMs);
      flush();
      settled();
    }
  }

  async function runRows(group: readonly Entry[], groupRows: number, startedAt: number): Promise<void> {
    const rows = group.length === 1 ? group[0]!.rows : group.flatMap((entry) => entry.rows);
    const { answers, cost } = await engine.rows(rows, plan);
    events.ran({ rows: groupRows, ...cost });
    let from = 0;
    for (const entry of group) {
      const own = group.length === 1 ? answers : answers.slice(from, from + entry.rows.length);
      from += entry.rows.length;
      if (finish(entry)) entry.resolve({ answers: own, queueMs: startedAt - entry.enqueuedAt, inferenceMs: cost.inferenceMs, groupRows } satisfies RowsTicket as never);
    }
  }

  async function runTensors(entry: Entry, feeds: NonNullable<Entry["feeds"]>, startedAt: number): Promise<void> {
    const { outputs, inferenceMs } = await engine.tensors(feeds.tensors, feeds.fetches);
    events.ran({ rows: feeds.rows, tokens: feeds.rows, runs: 1, inferenceMs, totalMs: now() - startedAt });
    if (finish(entry)) entry.resolve({ outputs, queueMs: startedAt - entry.enqueuedAt, inferenceMs, groupRows: feeds.rows } satisfies TensorsTicket as never);
  }

  return {
    rows: (rows, patience) => submit({ rows, feeds: null, length: lengthOf === null ? 1 : rows.reduce((most, row) => Math.max(most, lengthOf(row)), 1) }, patience),
    tensors: (tensors, fetches, rows, patience) => submit({ rows: [], feeds: { tensors, fetches, rows }, length: 1 }, patience),
    admit,
    estimatedWaitMs,
    state: () => ({ queuedRows, runningGroups: running }),
    hold() {
      held++;
      return () => {
        held--;
        settled();
      };
    },
    async drain() {
      draining = true;
      if (pending.size > 0 || running > 0 || held > 0) await new Promise<void>((resolve) => { drained = resolve; });
      if (deadlineTimer !== null) clearTimeout(deadlineTimer);
    },
  };
}
