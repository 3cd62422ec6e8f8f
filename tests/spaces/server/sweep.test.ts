import { describe, expect, it } from "vitest";
import { sweepBatches, type SweepRequest } from "../../../spaces/server/engine/sweep.ts";

const ways = [4, 8, 16, 32].map((batch) => ({ batch, tokenBudget: null }));
const rows = Array.from({ length: 32 }, (_, i) => ({ i }));

/** A model that takes `rowMs` for each row, whatever the batch, on a clock of its own. */
function model(rowMs: number) {
  const ran: number[] = [];
  let nowMs = 0;
  const predict = (some: readonly object[]) => {
    ran.push(some.length);
    nowMs += rowMs * some.length;
    return Promise.resolve([]);
  };
  return { ran, sweep: (request: SweepRequest) => sweepBatches({ predict } as never, rows, request, () => nowMs) };
}

describe("a sweep of batches", () => {
  it("runs the same rows in every way, where rows differ", async () => {
    const { ran, sweep } = model(0);
    const points = await sweep({ ways, budgetMs: 200 });
    expect(points.map(({ batch, rows: count }) => [batch, count])).toEqual([1, 4, 8, 16, 32].map((one) => [one, 32]));
    expect(new Set(ran)).toEqual(new Set([32]));
  });

  it("runs few rows one by one and full batches on as many as they take, where rows cost alike", async () => {
    const points = await model(0).sweep({ ways, budgetMs: 200, alike: 2 });
    expect(points.map(({ batch, rows: count }) => [batch, count])).toEqual([
      [1, 2],
      [4, 4],
      [8, 8],
      [16, 16],
      [32, 32],
    ]);
  });

  it("leaves out a batch that could take more than the time that is left", async () => {
    // One row: 3 × 4 ms. A batch of 4: 3 × 16 ms. A batch of 8 may take 32 ms, and fewer are left.
    const points = await model(4).sweep({ ways, budgetMs: 80, alike: 1 });
    expect(points.map(({ batch }) => batch)).toEqual([1, 4]);
  });
});
