import { afterEach, describe, expect, it, vi } from "vitest";
import type { Row } from "../../../models/core/row.ts";
import { EngineLost, type Engine, type RowAnswer, type RowsResult } from "../../../spaces/server/engine/engine.ts";
import { begin } from "../../../spaces/server/engine/turn.ts";
import type { BatchingPlan } from "../../../spaces/server/scheduling/batching-plan.ts";
import { ClientDisconnect } from "../../../spaces/server/scheduling/client-disconnect.ts";
import { Refused } from "../../../spaces/server/scheduling/refused.ts";
import { createScheduler, type Limits, type SchedulerEvents } from "../../../spaces/server/scheduling/scheduler.ts";

// Time is the test's own: the scheduler's clock and its timers move only when a test says so.
afterEach(() => {
  vi.useRealTimers();
});

type Run = { numbers: number[]; end: (error?: Error) => void };

/** A queue before an engine whose runs end when the test says so, and whose answers are the rows' own numbers. */
function queue(
  plan: Partial<BatchingPlan> = {},
  {
    limits = {},
    engine: more = {},
    lengthOf = null,
  }: { limits?: Partial<Limits>; engine?: Partial<Engine>; lengthOf?: ((row: Row) => number) | null } = {},
) {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "clearImmediate", "performance"] });
  const runs: Run[] = [];
  const ran: Parameters<SchedulerEvents["ran"]>[0][] = [];
  const waited: number[] = [];
  const engine: Engine = {
    kind: "worker",
    slots: 1,
    acceptsNextGroup: false,
    describe: () => {
      throw new Error("nobody asks");
    },
    rows: (rows, _plan, turn) =>
      new Promise<RowsResult | null>((resolve, reject) => {
        const numbers = rows.map((row) => row["number"] as number);
        const answers = numbers.map((value): RowAnswer => ({
          ok: true,
          heads: { own: { kind: "regression", value } },
        }));
        runs.push({
          numbers,
          end: (error) => {
            if (error !== undefined) reject(error);
            else if (turn !== undefined && !begin(turn)) resolve(null);
            else resolve({ answers, cost: { inferenceMs: 3, totalMs: 4, runs: 2, tokens: 5 } });
          },
        });
      }),
    tensors: (feeds) => Promise.resolve({ outputs: feeds, inferenceMs: 1 }),
    sweep: () => Promise.resolve([]),
    close: () => Promise.resolve(),
    ...more,
  };
  const scheduler = createScheduler(
    engine,
    { maxBatch: 4, tokenBudget: null, maxDelayUs: 0, gain: 2, runMs: 100, sweep: [], reason: "", ...plan },
    { maxQueueRows: 8, maxQueueWaitMs: 1000, ...limits },
    lengthOf,
    { ran: (run) => ran.push(run), waited: (ms) => waited.push(ms) },
  );
  const outcomes = new Map<string, unknown>();
  /** The words of refusals. */
  const said = new Map<string, string>();
  const ask = (name: string, numbers: number[], deadlineAt = Infinity, more: object = {}) => {
    void scheduler
      .rows(
        numbers.map((number) => ({ number })),
        { deadlineAt, ...more },
      )
      .then(
        ({ answers, queueMs, groupRows, inferenceMs }) =>
          outcomes.set(name, {
            values: answers.map((one) =>
              one.ok && one.heads["own"]?.kind === "regression" ? one.heads["own"].value : null,
            ),
            queueMs,
            groupRows,
            inferenceMs,
          }),
        (error: unknown) => {
          outcomes.set(name, error instanceof Refused ? error.reason : error);
          if (error instanceof Refused) said.set(name, error.message);
        },
      );
  };
  const settle = () => vi.advanceTimersByTimeAsync(0);
  const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  const values = (name: string) =>
    (outcomes.get(name) as { values?: number[] } | undefined)?.values ?? outcomes.get(name);
  return {
    scheduler,
    runs,
    ran,
    waited,
    outcomes,
    said,
    ask,
    settle,
    later,
    values,
    deadline: (ms: number) => performance.now() + ms,
  };
}

describe("small requests and the parts of a large one", () => {
  const part = { admitted: true, part: true };
  const line = () => queue({ runMs: 1 }, { limits: { maxQueueRows: 100, maxQueueWaitMs: 60_000 } });
  const order = async (queued: ReturnType<typeof queue>, groups: number) => {
    for (let i = 0; i < groups; i++) {
      queued.runs[i]!.end();
      await queued.settle();
    }
    return queued.runs.map(({ numbers }) => numbers);
  };

  it("a row does not wait for the parts that came before it", async () => {
    const waiting = line();
    for (const first of [0, 4, 8])
      waiting.ask(`part ${first}`, [first, first + 1, first + 2, first + 3], Infinity, part);
    await waiting.settle();
    waiting.ask("row", [100]);
    expect(await order(waiting, 4)).toEqual([[0, 1, 2, 3], [100], [4, 5, 6, 7], [8, 9, 10, 11]]);
    expect(waiting.values("row")).toEqual([100]);
    expect(waiting.values("part 8")).toEqual([8, 9, 10, 11]);
  });

  it("a flood of rows holds up no part for more than one group of them", async () => {
    const waiting = line();
    for (const first of [0, 4]) waiting.ask(`part ${first}`, [first, first + 1, first + 2, first + 3], Infinity, part);
    await waiting.settle();
    for (let row = 100; row < 112; row++) waiting.ask(`row ${row}`, [row]);
    const groups = await order(waiting, 5);
    expect(groups.slice(0, 4)).toEqual([
      [0, 1, 2, 3],
      [100, 101, 102, 103],
      [4, 5, 6, 7],
      [104, 105, 106, 107],
    ]);
    expect(groups[4]).toEqual([108, 109, 110, 111]);
  });

  it("go in their order where only one kind waits", async () => {
    const waiting = line();
    waiting.ask("first", [0]);
    await waiting.settle();
    waiting.ask("a", [1, 2, 3, 4], Infinity, part);
    waiting.ask("b", [5, 6, 7, 8], Infinity, part);
    expect(await order(waiting, 3)).toEqual([[0], [1, 2, 3, 4], [5, 6, 7, 8]]);
    waiting.ask("c", [9, 10, 11, 12], Infinity, { admitted: true });
    await waiting.settle();
    waiting.ask("d", [13]);
    expect(await order(waiting, 5)).toEqual([[0], [1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13]]);
  });

  it("a row that is past its deadline goes ahead of nobody", async () => {
    const waiting = line();
    waiting.ask("p0", [0, 1, 2, 3], Infinity, part);
    waiting.ask("p1", [4, 5, 6, 7], Infinity, part);
    await waiting.settle();
    waiting.ask("row", [100], waiting.deadline(5));
    await waiting.later(10);
    expect(await order(waiting, 2)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
    expect(waiting.values("row")).toBe("deadline");
  });
});

describe("answers", () => {
  it("of one run go to whoever asked, row for row", async () => {
    const { ask, settle, runs, values, ran, outcomes } = queue();
    ask("first", [0]);
    await settle();
    ask("a", [1, 2]);
    ask("b", [3]);
    ask("c", [4]);
    runs[0]!.end();
    await settle();
    expect(runs[1]!.numbers).toEqual([1, 2, 3, 4]);
    runs[1]!.end();
    await settle();
    expect([values("first"), values("a"), values("b"), values("c")]).toEqual([[0], [1, 2], [3], [4]]);
    expect(outcomes.get("b")).toMatchObject({ groupRows: 4, inferenceMs: 3 });
    expect(ran).toEqual([
      { rows: 1, inferenceMs: 3, totalMs: 4, runs: 2, tokens: 5 },
      { rows: 4, inferenceMs: 3, totalMs: 4, runs: 2, tokens: 5 },
    ]);
  });

  it("still go to whoever asked when one of the group has given up while it ran", async () => {
    const { ask, settle, runs, values, said, later, deadline } = queue();
    ask("first", [0]);
    await settle();
    ask("a", [1, 2], deadline(500));
    ask("b", [3, 4]);
    runs[0]!.end();
    await settle();
    await later(500);
    expect(values("a")).toBe("deadline");
    expect(said.get("a")).toBe("the request's deadline passed while the model ran");
    runs[1]!.end();
    await settle();
    expect(values("b")).toEqual([3, 4]);
    expect(values("a")).toBe("deadline");
  });

  it("of tensors are their own run", async () => {
    const { scheduler, settle, ran } = queue();
    const feeds = { x: { dtype: "float32" as const, data: Float32Array.of(1), dims: [1] } };
    const ticket = scheduler.tensors(feeds, undefined, 7, { deadlineAt: Infinity });
    await settle();
    expect(await ticket).toMatchObject({ outputs: feeds, groupRows: 7, inferenceMs: 1, queueMs: 0 });
    expect(ran).toMatchObject([{ rows: 7, tokens: 7, runs: 1, inferenceMs: 1 }]);
  });

  it("say how long the rows waited", async () => {
    const { ask, settle, later, runs, outcomes, waited } = queue();
    ask("first", [0]);
    await settle();
    ask("a", [1]);
    await later(30);
    runs[0]!.end();
    await settle();
    runs[1]!.end();
    await settle();
    expect(outcomes.get("a")).toMatchObject({ queueMs: 30 });
    expect(waited).toEqual([0, 30]);
  });
});

describe("an engine that fails", () => {
  it("by itself fails its group, and the next group goes on", async () => {
    const { ask, settle, runs, values, outcomes } = queue({ maxBatch: 1 });
    ask("a", [1]);
    ask("b", [2]);
    await settle();
    const broken = new Error("no memory");
    runs[0]!.end(broken);
    await settle();
    expect(outcomes.get("a")).toBe(broken);
    runs[1]!.end();
    await settle();
    expect(values("b")).toEqual([2]);
  });
  it("by dying is a refusal that may be repeated", async () => {
    const { ask, settle, runs, values } = queue();
    ask("a", [1]);
    await settle();
    runs[0]!.end(new EngineLost("killed"));
    await settle();
    expect(values("a")).toBe("engine-lost");
  });
});

describe("a deadline", () => {
  it("ends the wait of that request alone, which then is in no run", async () => {
    const { ask, settle, later, runs, values, scheduler, deadline } = queue();
    ask("first", [0]);
    await settle();
    ask("a", [1], deadline(200));
    ask("b", [2], deadline(900));
    await later(199);
    expect([values("a"), scheduler.state().queuedRows]).toEqual([undefined, 2]);
    await later(1);
    expect([values("a"), scheduler.state().queuedRows]).toEqual(["deadline", 1]);
    runs[0]!.end();
    await settle();
    expect(runs[1]!.numbers).toEqual([2]);
    runs[1]!.end();
    await settle();
    expect(values("b")).toEqual([2]);
  });
  it("that is over, or would be before an answer, is refused at once", async () => {
    const { ask, settle, values, deadline } = queue();
    ask("over", [1], deadline(0));
    ask("first", [0]);
    await settle();
    ask("soon", [1], deadline(99));
    ask("enough", [1], deadline(101));
    await settle();
    expect([values("over"), values("soon"), values("enough")]).toEqual(["deadline", "queue-wait", undefined]);
  });
  it("of a part that was admitted with the whole is looked at, and nothing else is", async () => {
    const { ask, settle, values, deadline } = queue({}, { limits: { maxQueueRows: 1 } });
    ask("first", [0]);
    await settle();
    ask("part", [1, 2], Infinity, { admitted: true });
    ask("late", [3], deadline(0), { admitted: true });
    ask("whole", [4, 5]);
    await settle();
    expect([values("part"), values("late"), values("whole")]).toEqual([undefined, "deadline", "queue-full"]);
  });
});

describe("a client that goes away", () => {
  it.each(["while it waits", "before it asks"])("%s is in no run", async (when) => {
    const { ask, settle, runs, values, scheduler } = queue();
    const disconnect = new ClientDisconnect();
    ask("first", [0]);
    await settle();
    if (when === "before it asks") disconnect.abort();
    ask("gone", [1], Infinity, { disconnect });
    ask("b", [2]);
    if (when === "while it waits") disconnect.abort();
    await settle();
    expect([values("gone"), scheduler.state().queuedRows]).toEqual(["cancelled", 1]);
    runs[0]!.end();
    await settle();
    expect(runs[1]!.numbers).toEqual([2]);
  });
});

describe("the queue's bounds", () => {
  it("refuse the row too many, and say when to come back", async () => {
    const { ask, settle, values, scheduler } = queue();
    ask("first", [0]);
    await settle();
    for (let i = 0; i < 8; i++) ask(`q${i}`, [i]);
    ask("more", [9]);
    await settle();
    expect(values("more")).toBe("queue-full");
    expect(scheduler.state()).toEqual({ queuedRows: 8, runningGroups: 1 });
    // One run that has just begun, and two full ones behind it.
    expect(scheduler.estimatedWaitMs()).toBe(300);
    expect(() => scheduler.admit(1, Infinity)).toThrow(
      expect.objectContaining({ reason: "queue-full", retryAfterMs: 300 }) as Error,
    );
  });
  it("count a request that is larger than a batch as one batch, so that it is taken at all", async () => {
    const { scheduler } = queue({ maxBatch: 4 }, { limits: { maxQueueRows: 4 } });
    expect(() => scheduler.admit(1000, Infinity)).not.toThrow();
  });
  it("refuse what would wait too long", async () => {
    const { ask, settle, scheduler } = queue({ maxBatch: 1 }, { limits: { maxQueueWaitMs: 250 } });
    ask("first", [0]);
    ask("second", [1]);
    await settle();
    expect(() => scheduler.admit(1, Infinity)).not.toThrow();
    ask("third", [2]);
    await settle();
    expect(scheduler.estimatedWaitMs()).toBe(300);
    expect(() => scheduler.admit(1, Infinity)).toThrow(expect.objectContaining({ reason: "queue-wait" }) as Error);
  });
  it("follow the time that runs really take", async () => {
    const { ask, settle, later, runs, scheduler } = queue({ maxBatch: 1 });
    ask("a", [1]);
    await settle();
    await later(200);
    runs[0]!.end();
    await settle();
    ask("b", [1]);
    await settle();
    expect(scheduler.estimatedWaitMs()).toBeCloseTo(100 + 0.2 * (200 - 100), 9);
  });
});

describe("waiting for company", () => {
  it("is for two or more that do not fill a batch, at most as long as the plan says", async () => {
    const { ask, settle, later, runs } = queue({ maxDelayUs: 5000 });
    ask("a", [1]);
    ask("b", [2]);
    await settle();
    expect(runs).toHaveLength(0);
    await later(4);
    expect(runs).toHaveLength(0);
    await later(1);
    expect(runs.map(({ numbers }) => numbers)).toEqual([[1, 2]]);
  });
  it("is not for one alone, nor for a full batch", async () => {
    const { ask, settle, runs } = queue({ maxDelayUs: 5000, maxBatch: 2 });
    ask("a", [1]);
    await settle();
    expect(runs).toHaveLength(1);
    runs[0]!.end();
    ask("b", [2]);
    ask("c", [3]);
    await settle();
    expect(runs[1]!.numbers).toEqual([2, 3]);
  });
});

describe("an engine that takes the next group early", () => {
  const early = { engine: { acceptsNextGroup: true } };
  it("gets it when nothing can change it any more, and no third", async () => {
    const { ask, settle, runs, values, scheduler } = queue({ maxBatch: 2 }, early);
    ask("a", [1, 2]);
    await settle();
    ask("b", [3]);
    await settle();
    expect(runs).toHaveLength(1);
    ask("c", [4]);
    ask("d", [5, 6]);
    await settle();
    expect(runs.map(({ numbers }) => numbers)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(scheduler.state()).toEqual({ queuedRows: 4, runningGroups: 1 });
    for (const i of [0, 1, 2]) {
      runs[i]!.end();
      await settle();
    }
    expect([values("a"), values("b"), values("c"), values("d")]).toEqual([[1, 2], [3], [4], [5, 6]]);
    expect(scheduler.state()).toEqual({ queuedRows: 0, runningGroups: 0 });
  });
  it.each([
    ["says so", undefined],
    ["fails meanwhile", new Error("no memory")],
  ])("gives it back when one of it goes, and the others run with later ones: the engine %s", async (_, error) => {
    const { ask, settle, runs, values } = queue({ maxBatch: 2 }, early);
    const disconnect = new ClientDisconnect();
    ask("a", [1, 2]);
    await settle();
    ask("gone", [3], Infinity, { disconnect });
    ask("c", [4]);
    ask("d", [5]);
    await settle();
    expect(runs[1]!.numbers).toEqual([3, 4]);
    disconnect.abort();
    await settle();
    expect(values("gone")).toBe("cancelled");
    runs[1]!.end(error);
    runs[0]!.end();
    await settle();
    expect(runs[2]!.numbers).toEqual([4, 5]);
    runs[2]!.end();
    await settle();
    expect([values("c"), values("d")]).toEqual([[4], [5]]);
  });
});

describe("texts", () => {
  it("run with those that are about as long, within the plan's tokens", async () => {
    const { ask, settle, runs } = queue(
      { maxBatch: 8, tokenBudget: 12 },
      { lengthOf: (row) => row["number"] as number },
    );
    ask("first", [1]);
    await settle();
    for (const length of [4, 9, 5, 3]) ask(`of ${length}`, [length]);
    runs[0]!.end();
    await settle();
    expect(runs[1]!.numbers).toEqual([4, 5]);
  });
});

describe("draining", () => {
  it("answers what is there, refuses what comes, and ends when the last is answered", async () => {
    const { ask, settle, runs, values, scheduler } = queue({ maxBatch: 1 });
    ask("a", [1]);
    ask("b", [2]);
    await settle();
    let drained = false;
    void scheduler.drain().then(() => {
      drained = true;
    });
    ask("late", [3]);
    await settle();
    expect([values("late"), drained]).toEqual(["draining", false]);
    runs[0]!.end();
    await settle();
    expect(drained).toBe(false);
    runs[1]!.end();
    await settle();
    expect([values("a"), values("b"), drained]).toEqual([[1], [2], true]);
  });
  it("waits for what came in the same moment, and leaves no timer behind", async () => {
    const { ask, settle, runs, values, scheduler, deadline } = queue();
    ask("a", [1], deadline(60_000));
    let drained = false;
    void scheduler.drain().then(() => {
      drained = true;
    });
    await settle();
    expect(drained).toBe(false);
    runs[0]!.end();
    await settle();
    expect([values("a"), drained]).toEqual([[1], true]);
    expect(vi.getTimerCount()).toBe(0);
    // Parts that end after that change nothing.
    scheduler.hold()();
  });
  it("waits for a request that is between two of its parts", async () => {
    const { scheduler, settle } = queue();
    const release = scheduler.hold();
    let drained = false;
    void scheduler.drain().then(() => {
      drained = true;
    });
    await settle();
    expect(drained).toBe(false);
    release();
    await settle();
    expect(drained).toBe(true);
  });
  it("of an idle queue is done, and what ends later changes nothing", async () => {
    const { scheduler } = queue();
    await expect(scheduler.drain()).resolves.toBeUndefined();
    scheduler.hold()();
  });
});
