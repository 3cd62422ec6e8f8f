import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Engine, RowAnswer } from "../../../spaces/server/engine/engine.ts";
import { ClientDisconnect } from "../../../spaces/server/scheduling/client-disconnect.ts";
import { createScheduler } from "../../../spaces/server/scheduling/scheduler.ts";

/** Answers each row with its own number, after the event loop has turned. Remembers how many rows ran together. */
function echoEngine(): Engine & { groups: number[] } {
  const groups: number[] = [];
  return {
    kind: "worker",
    slots: 1,
    acceptsNextGroup: false,
    groups,
    describe: () => {
      throw new Error("nobody asks");
    },
    rows: async (rows) => {
      groups.push(rows.length);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      const answers = rows.map((row): RowAnswer => ({
        ok: true,
        heads: { own: { kind: "regression", value: row["number"] as number } },
      }));
      return { answers, cost: { inferenceMs: 1, totalMs: 1, runs: 1, tokens: rows.length } };
    },
    tensors: () => Promise.resolve(null),
    sweep: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };
}

const scheduler = (engine: Engine, maxBatch: number) =>
  createScheduler(
    engine,
    { maxBatch, tokenBudget: null, maxDelayUs: 0, gain: 2, runMs: 1, sweep: [], reason: "" },
    { maxQueueRows: 10_000, maxQueueWaitMs: 60_000 },
    null,
    { ran: () => {}, waited: () => {} },
  );

const numbersOf = (answers: readonly RowAnswer[]) =>
  answers.map((one) => (one.ok && one.heads["own"]?.kind === "regression" ? one.heads["own"].value : null));

describe("callers whose rows run together", () => {
  it("each get the answers to their own rows, however many each of them sent", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 12 }),
        fc.integer({ min: 2, max: 32 }),
        async (sizes, maxBatch) => {
          const engine = echoEngine();
          const queue = scheduler(engine, maxBatch);
          let next = 0;
          const sent = sizes.map((size) => Array.from({ length: size }, () => ({ number: next++ })));
          const tickets = await Promise.all(sent.map((rows) => queue.rows(rows, { deadlineAt: Infinity })));
          expect(tickets.map(({ answers }) => numbersOf(answers))).toEqual(
            sent.map((rows) => rows.map(({ number }) => number)),
          );
        },
      ),
      { numRuns: 60, seed: 8 },
    );
  });

  it("do run together in that test", async () => {
    const engine = echoEngine();
    const queue = scheduler(engine, 32);
    const rows = [[{ number: 1 }, { number: 2 }], [{ number: 3 }, { number: 4 }, { number: 5 }], [{ number: 6 }]];
    await Promise.all(rows.map((one) => queue.rows(one, { deadlineAt: Infinity })));
    expect(Math.max(...engine.groups)).toBe(6);
  });
});

describe("a run with steps", () => {
  /** Runs until its signal ends it, and sends a piece for every row first. */
  function steppingEngine(): Engine & { ended: unknown[] } {
    const ended: unknown[] = [];
    return {
      ...echoEngine(),
      ended,
      rows: async (rows, _plan, _turn, live) => {
        rows.forEach((row, i) => live?.onPiece?.(i, `piece of ${String(row["number"])}`));
        await new Promise((resolve) => {
          live!.signal.addEventListener("abort", resolve);
        });
        ended.push(live!.signal.reason);
        throw live!.signal.reason as Error;
      },
    };
  }
  const stepping = (engine: Engine) =>
    createScheduler(
      engine,
      { maxBatch: 8, tokenBudget: null, maxDelayUs: 0, gain: 2, runMs: 1, sweep: [], reason: "", interruptible: true },
      { maxQueueRows: 10, maxQueueWaitMs: 60_000 },
      null,
      { ran: () => {}, waited: () => {} },
    );

  it("is ended once all who wait for it are gone, and not before", async () => {
    const engine = steppingEngine();
    const queue = stepping(engine);
    const clients = [new ClientDisconnect(), new ClientDisconnect()];
    const pieces: string[][] = [[], []];
    const answers = clients.map((disconnect, i) =>
      queue.rows([{ number: i }], {
        deadlineAt: Infinity,
        disconnect,
        onPiece: (index, piece) => pieces[i]!.push(`${index}: ${piece}`),
      }),
    );
    const outcomes = Promise.allSettled(answers);
    while (pieces[1]!.length === 0)
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    expect(pieces).toEqual([["0: piece of 0"], ["0: piece of 1"]]);
    clients[0]!.abort();
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    expect(engine.ended).toEqual([]);
    clients[1]!.abort();
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await queue.drain();
    expect(engine.ended).toHaveLength(1);
  });

  it("is ended at the deadline", async () => {
    const engine = steppingEngine();
    const queue = stepping(engine);
    await expect(queue.rows([{ number: 1 }], { deadlineAt: performance.now() + 30 })).rejects.toThrow(
      "the request's deadline passed while the model ran",
    );
    await queue.drain();
    expect(engine.ended).toHaveLength(1);
  });
});
