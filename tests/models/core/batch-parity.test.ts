import { describe, expect, it } from "vitest";
import type { RawAnswer } from "../../../models/core/postprocess/compiled.ts";
import { batchParity } from "../../../models/core/predictor/batch-parity.ts";
import { RandomStream } from "../../../eval/stats/random.ts";

type Run = (rows: readonly number[]) => Promise<Record<string, readonly number[]>[]>;
const raw = (one: Record<string, readonly number[]>): Record<string, RawAnswer> =>
  Object.fromEntries(Object.entries(one).map(([head, numbers]) => [head, { numbers, exact: [], ranked: [] }]));
const rows = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const check = (some: readonly number[], run: Run, now: () => number = () => 0) =>
  batchParity(some, {
    tolerance: 1e-4,
    batch: 32,
    length: () => 1,
    index: (row) => row,
    run: async (part) => (await run(part)).map(raw),
    now,
  });
const honest: Run = async (some) => some.map((row) => ({ y: [row] }));

/** A model that answers differently in a share of its runs, as one with dropout in a rare branch does. */
function random(share: number, seed: number): Run {
  const stream = new RandomStream(seed, 0);
  return async (some) => some.map((row) => ({ y: [row + (stream.uniform() < share ? 1 : 0)] }));
}

describe("repeats", () => {
  it("compare 459 rows in all, however many there are, and none twice alone where there are enough", async () => {
    let ran = 0;
    const counting: Run = async (some) => {
      ran += some.length;
      return honest(some);
    };
    expect(await check(rows(5_000), counting)).toMatchObject({
      rows: 64,
      comparisons: 459,
      ok: true,
      repeatable: true,
    });
    expect(ran).toBe(2 * 459);
    expect(await check(rows(10), honest)).toMatchObject({ rows: 10, comparisons: 459, ok: true });
  });
  it("find a model that differs in 1 % of its runs in 99 of 100 gates, which 64 rows do not", async () => {
    let found = 0;
    const gates = 200;
    for (let seed = 0; seed < gates; seed++) if (!(await check(rows(600), random(0.01, seed))).ok) found++;
    // Two runs of a row differ with probability 2 · 0.01 · 0.99; 459 comparisons all agree in 1 of 10,000.
    expect(found).toBeGreaterThan(0.985 * gates);
  });
  it("of a model that only repeats tell from an honest one say so", async () => {
    let call = 0;
    // Alone and together agree for the first 64 rows; a later run does not.
    const late: Run = async (some) => some.map((row) => ({ y: [row + (call++ > 300 ? Math.sin(call) : 0)] }));
    expect(await check(rows(600), late)).toMatchObject({ ok: false, repeatable: false });
  });
  it("tell a model that depends on the batch from one that draws random numbers", async () => {
    const leaking: Run = async (some) => some.map((row) => ({ y: [row + some.length] }));
    expect(await check(rows(600), leaking)).toMatchObject({ ok: false, comparisons: 459, repeatable: true });
    expect(await check(rows(600), random(0.5, 1))).toMatchObject({ ok: false, repeatable: false });
    expect(await check([], honest)).toMatchObject({ ok: false, comparisons: 0, repeatable: true });
  });
  it("end with the time for them, and say how many there were", async () => {
    let now = 0;
    const slow: Run = async (some) => {
      now += 400;
      return honest(some);
    };
    const parity = await check(rows(600), slow, () => now);
    expect(parity.comparisons).toBe(64 + 2 * 32);
    expect(parity.ok).toBe(true);
  });
});
