import type { StepRun } from "../../../models/core/predictor/interface.ts";
import type { Row } from "../../../models/core/row.ts";
import type { GraphTensor } from "../../../models/core/tensors.ts";
import { EngineLost, type Engine, type Feeds, type LiveRows, type RowAnswer } from "../engine/engine.ts";
import { newTurn, takeBack, type Turn } from "../engine/turn.ts";
import type { ClientDisconnect } from "./client-disconnect.ts";
import type { BatchingPlan } from "./batching-plan.ts";
import { formGroup, groupIsFinal } from "./group.ts";
import { nextInLine } from "./overtaking.ts";
import { Refused } from "./refused.ts";

type Waiting = {
  queueMs: number;
  inferenceMs: number;
  /** Rows of the group that ran together. */
  groupRows: number;
};
export type RowsTicket = Waiting & { answers: RowAnswer[]; firstTokenMs?: number };
export type TensorsTicket = Waiting & { outputs: Record<string, GraphTensor> };

export type Limits = { maxQueueRows: number; maxQueueWaitMs: number };
/** Events for metrics. */
export type SchedulerEvents = {
  ran(run: {
    rows: number;
    tokens: number;
    runs: number;
    inferenceMs: number;
    totalMs: number;
    generated?: { tokens: number; firstTokenMs: number };
    steps?: readonly StepRun[];
  }): void;
  waited(queueMs: number): void;
};
export type RequestDeadline = {
  /** By the scheduler's clock. */
  deadlineAt: number;
  disconnect?: ClientDisconnect;
  /** True for a part of a request that was already admitted. */
  admitted?: boolean;
  /** Takes the texts of its rows piece by piece, where the model makes them so. */
  onPiece?: (index: number, piece: string) => void;
  /** True for rows that nobody waits for, such as those of a job. */
  background?: boolean;
  /** True for one of several parts of a large request: small requests may go ahead of it. */
  part?: boolean;
};

/** One submission that waits or runs. */
export type Entry = {
  rows: readonly Row[];
  feeds: { tensors: Feeds; fetches: readonly string[] | undefined; rows: number } | null;
  /** Tokens of the longest row, roughly; 1 where rows have no length. */
  length: number;
  enqueuedAt: number;
  deadlineAt: number;
  /** Whether it is one of several parts of a large request. */
  part: boolean;
  /** `handed`: part of a group that waits at the engine. */
  state: "queued" | "handed" | "running" | "done";
  resolve: (ticket: never) => void;
  reject: (error: Error) => void;
  onPiece?: ((index: number, piece: string) => void) | undefined;
};

/**
 * Submissions that run together. `turn` is set while they wait at the engine. `begunAt` is set, by the scheduler's
 * clock, once they run. `cancel` ends a run that nobody waits for any more; null where runs have no steps.
 */
type Group = {
  entries: readonly Entry[];
  rows: number;
  turn: Turn | null;
  begunAt: number;
  cancel: AbortController | null;
};

export type Scheduler = {
  /** @throws Refused; what the engine throws. */
  rows(rows: readonly Row[], requestDeadline: RequestDeadline): Promise<RowsTicket>;
  tensors(
    feeds: Feeds,
    fetches: readonly string[] | undefined,
    rows: number,
    requestDeadline: RequestDeadline,
  ): Promise<TensorsTicket>;
  /** @throws Refused when a request that comes now would wait too long or is not accepted at all. */
  admit(rows: number, deadlineAt: number): void;
  estimatedWaitMs(): number;
  state(): { queuedRows: number; runningGroups: number };
  /** When somebody who waits for the answer last asked, by the scheduler's clock; -Infinity before. */
  liveAt(): number;
  /** Keeps the scheduler from being drained between the parts of one request. Call the returned function when done. */
  hold(): () => void;
  /** Refuses new requests; resolves when all earlier ones are answered. */
  drain(): Promise<void>;
};

/** Weight of the newest run in the moving average of a run's time. */
const NEWEST_WEIGHT = 0.2;

/**
 * The queue of one model in front of its engine. Submissions that arrive in one turn of the event loop, or while the
 * engine is busy, run together as far as the plan allows. A lone one starts at once. Small requests go ahead of the
 * parts of large ones, in turn with them. The queue is bounded by the estimated wait. A submission past its deadline is rejected, and leaves the queue if it is still there.
 *
 * An engine with `ahead` gets the next group while it is busy, as soon as no later arrival could change that group. In
 * all figures that group still counts as waiting. It is taken back when one of its submissions is dropped.
 */
export function createScheduler(
  engine: Engine,
  plan: BatchingPlan,
  limits: Limits,
  lengthOf: ((row: Row) => number) | null,
  events: SchedulerEvents,
  now: () => number = () => performance.now(),
): Scheduler {
  let queue: Entry[] = [];
  const running: Group[] = [];
  let ahead: Group | null = null;
  /** Rows that wait, in the queue or at the engine. */
  let queuedRows = 0;
  let runMs = plan.runMs;
  let lastStart = 0;
  let liveAt = -Infinity;
  /** Whether small requests went ahead of a part that waits. */
  let overtaken = false;
  let flushing = false;
  let delayTimer: NodeJS.Timeout | null = null;
  let deadlineTimer: NodeJS.Timeout | null = null;
  let nextDeadline = Infinity;
  let draining = false;
  let held = 0;
  let drained: (() => void) | null = null;

  /**
   * How much of the queue an entry takes. For rows it is their number. Tensors are a single run, so they count as at
   * most one batch.
   */
  const sizeOf = (entry: Entry) =>
    entry.feeds === null ? entry.rows.length : Math.min(entry.feeds.rows, plan.maxBatch);

  function finish(entry: Entry): boolean {
    if (entry.state === "done") return false;
    if (entry.state === "queued") queuedRows -= sizeOf(entry);
    entry.state = "done";
    return true;
  }

  const idle = () => queue.length === 0 && ahead === null && running.length === 0 && held === 0;

  function settled(): void {
    if (draining && idle()) drained?.();
  }

  function drop(entry: Entry, why: Refused): void {
    if (entry.state === "handed") recall(ahead!);
    const waited = entry.state === "queued";
    if (!finish(entry)) return;
    if (waited) queue = queue.filter((other) => other !== entry);
    entry.reject(why);
    if (!waited && plan.interruptible === true) {
      const group = running.find(({ entries }) => entries.includes(entry));
      if (group?.entries.every(({ state }) => state === "done") === true) group.cancel?.abort(why);
    }
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
    for (const entry of [...running.flatMap(({ entries }) => entries), ...(ahead?.entries ?? []), ...queue]) {
      if (entry.state === "done") continue;
      if (entry.deadlineAt <= time)
        drop(
          entry,
          new Refused(
            "deadline",
            entry.state === "running"
              ? "the request's deadline passed while the model ran"
              : "the request's deadline passed while it waited",
          ),
        );
      else next = Math.min(next, entry.deadlineAt);
    }
    if (next !== Infinity) watchDeadline(next);
  }

  function estimatedWaitMs(): number {
    const current = running.length < engine.slots ? 0 : Math.max(0, runMs - (now() - lastStart));
    return current + (Math.ceil(queuedRows / plan.maxBatch) * runMs) / engine.slots;
  }

  function admit(rows: number, deadlineAt: number): void {
    if (draining) throw new Refused("draining", "the model is being replaced or the server is stopping");
    const waitMs = estimatedWaitMs();
    if (queuedRows + Math.min(rows, plan.maxBatch) > limits.maxQueueRows)
      throw new Refused("queue-full", `${queuedRows} rows are waiting`, waitMs);
    if (waitMs > limits.maxQueueWaitMs)
      throw new Refused("queue-wait", `a request that came now would wait about ${Math.ceil(waitMs)} ms`, waitMs);
    if (now() + waitMs > deadlineAt)
      throw new Refused(
        "queue-wait",
        `a request that came now would wait about ${Math.ceil(waitMs)} ms, past its deadline`,
        waitMs,
      );
  }

  function submit<T>(part: Pick<Entry, "rows" | "feeds" | "length">, requestDeadline: RequestDeadline): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const entry: Entry = {
        ...part,
        enqueuedAt: now(),
        deadlineAt: requestDeadline.deadlineAt,
        part: requestDeadline.part === true,
        state: "queued",
        resolve,
        reject,
        onPiece: requestDeadline.onPiece,
      };
      if (requestDeadline.background !== true) liveAt = entry.enqueuedAt;
      try {
        if (requestDeadline.disconnect?.aborted === true) throw new Refused("cancelled", "the client went away");
        if (requestDeadline.admitted !== true) admit(sizeOf(entry), entry.deadlineAt);
        if (entry.enqueuedAt >= entry.deadlineAt)
          throw new Refused("deadline", "the request's deadline passed before it was queued");
      } catch (error) {
        reject(error as Error);
        return;
      }
      requestDeadline.disconnect?.onAborted(() => drop(entry, new Refused("cancelled", "the client went away")));
      queue.push(entry);
      queuedRows += sizeOf(entry);
      watchDeadline(entry.deadlineAt);
      flushSoon();
    });
  }

  const hasCapacity = () => running.length < engine.slots || (engine.acceptsNextGroup && ahead === null);

  /**
   * Forms groups at the end of this turn of the event loop, so that everything that arrives in it is seen. This costs
   * no time.
   */
  function flushSoon(): void {
    if (flushing || !hasCapacity()) return;
    flushing = true;
    setImmediate(() => {
      flushing = false;
      flush();
    });
  }

  function flush(): void {
    while (hasCapacity() && queue.length > 0) {
      const free = running.length < engine.slots;
      const line = nextInLine(queue, overtaken);
      if (free ? delayed() : !groupIsFinal(line, plan, sizeOf)) return;
      const entries = formGroup(line, plan, sizeOf);
      overtaken = line !== queue && !entries[0]!.part;
      const group: Group = {
        entries,
        rows: entries.reduce((sum, entry) => sum + sizeOf(entry), 0),
        turn: free ? null : newTurn(),
        begunAt: 0,
        cancel: plan.interruptible === true ? new AbortController() : null,
      };
      for (const entry of entries) entry.state = "handed";
      queue = queue.filter((entry) => entry.state === "queued");
      if (free) begin(group);
      else ahead = group;
      void run(group);
    }
  }

  function begin(group: Group): void {
    group.begunAt = now();
    lastStart = group.begunAt;
    running.push(group);
    queuedRows -= group.rows;
    for (const entry of group.entries) {
      entry.state = "running";
      events.waited(group.begunAt - entry.enqueuedAt);
    }
  }

  /**
   * Puts a group that waits at the engine back into the queue. If its run has begun in the meantime, it counts as
   * running.
   */
  function recall(group: Group): void {
    ahead = null;
    if (!takeBack(group.turn!)) return begin(group);
    for (const entry of group.entries) entry.state = "queued";
    queue = [...group.entries, ...queue];
    flushSoon();
  }

  /**
   * Whether to wait for more rows. Two or more rows that do not fill a batch may wait a little; a single row never
   * does.
   */
  function delayed(): boolean {
    if (plan.maxDelayUs === 0 || queuedRows < 2 || queuedRows >= plan.maxBatch || draining) return false;
    const leftMs = queue[0]!.enqueuedAt + plan.maxDelayUs / 1000 - now();
    // Timers are no finer than a millisecond, so a shorter rest is not waited for.
    if (leftMs < 1) return false;
    delayTimer ??= setTimeout(() => {
      delayTimer = null;
      flush();
    }, Math.floor(leftMs));
    return true;
  }

  async function run(group: Group): Promise<void> {
    const { entries } = group;
    try {
      const { feeds } = entries[0]!;
      if (!(feeds === null ? await runRows(group) : await runTensors(group, feeds))) return;
    } catch (error) {
      if (!hasBegun(group)) return;
      const reason =
        error instanceof EngineLost
          ? new Refused("engine-lost", `the model's engine was lost: ${error.message}`)
          : (error as Error);
      for (const entry of entries) if (finish(entry)) entry.reject(reason);
    }
    ended(group);
  }

  /**
   * Whether the group's run has begun, which is certain once the engine has answered.
   *
   * @returns false when the group was taken back.
   */
  function hasBegun(group: Group): boolean {
    if (group === ahead) {
      ahead = null;
      begin(group);
    }
    return running.includes(group);
  }

  function ended(group: Group): void {
    running.splice(running.indexOf(group), 1);
    // Measured in full runs: a chunk of a large request counts as the number of runs that it is cut into.
    runMs += NEWEST_WEIGHT * ((now() - group.begunAt) / Math.max(1, group.rows / plan.maxBatch) - runMs);
    if (ahead !== null && running.length < engine.slots) {
      const next = ahead;
      ahead = null;
      begin(next);
    }
    flush();
    settled();
  }

  /** @returns false when the group was taken back. */
  async function runRows(group: Group): Promise<boolean> {
    const { entries } = group;
    const done = await engine.rows(
      entries.length === 1 ? entries[0]!.rows : entries.flatMap((entry) => entry.rows),
      plan,
      group.turn ?? undefined,
      liveOf(group),
    );
    if (done === null || !hasBegun(group)) return false;
    const { answers, cost } = done;
    events.ran({ rows: group.rows, ...cost });
    let from = 0;
    for (const entry of entries) {
      const own = entries.length === 1 ? answers : answers.slice(from, from + entry.rows.length);
      from += entry.rows.length;
      if (finish(entry))
        entry.resolve({
          answers: own,
          queueMs: group.begunAt - entry.enqueuedAt,
          inferenceMs: cost.inferenceMs,
          groupRows: group.rows,
          ...(cost.generated === undefined ? {} : { firstTokenMs: cost.generated.firstTokenMs }),
        } satisfies RowsTicket as never);
    }
    return true;
  }

  /** Hands each piece to the submission whose row it is of. */
  function liveOf({ entries, cancel }: Group): LiveRows | undefined {
    if (cancel === null) return undefined;
    if (entries.every(({ onPiece }) => onPiece === undefined)) return { signal: cancel.signal };
    const owners = entries.flatMap((entry) => entry.rows.map((_, index) => ({ entry, index })));
    return {
      signal: cancel.signal,
      onPiece(at, piece) {
        const { entry, index } = owners[at]!;
        if (entry.state !== "done") entry.onPiece?.(index, piece);
      },
    };
  }

  /** @returns false when the group was taken back. */
  async function runTensors(group: Group, feeds: NonNullable<Entry["feeds"]>): Promise<boolean> {
    const [entry] = group.entries;
    const done = await engine.tensors(feeds.tensors, feeds.fetches, group.turn ?? undefined);
    if (done === null || !hasBegun(group)) return false;
    const { outputs, inferenceMs } = done;
    events.ran({ rows: feeds.rows, tokens: feeds.rows, runs: 1, inferenceMs, totalMs: now() - group.begunAt });
    if (finish(entry!))
      entry!.resolve({
        outputs,
        queueMs: group.begunAt - entry!.enqueuedAt,
        inferenceMs,
        groupRows: feeds.rows,
      } satisfies TensorsTicket as never);
    return true;
  }

  return {
    rows: (rows, requestDeadline) =>
      submit(
        {
          rows,
          feeds: null,
          length: lengthOf === null ? 1 : rows.reduce((most, row) => Math.max(most, lengthOf(row)), 1),
        },
        requestDeadline,
      ),
    tensors: (tensors, fetches, rows, requestDeadline) =>
      submit({ rows: [], feeds: { tensors, fetches, rows }, length: 1 }, requestDeadline),
    admit,
    estimatedWaitMs,
    state: () => ({ queuedRows, runningGroups: running.length }),
    liveAt: () => liveAt,
    hold() {
      held++;
      return () => {
        held--;
        settled();
      };
    },
    async drain() {
      draining = true;
      if (!idle())
        await new Promise<void>((resolve) => {
          drained = resolve;
        });
      if (deadlineTimer !== null) clearTimeout(deadlineTimer);
    },
  };
}
