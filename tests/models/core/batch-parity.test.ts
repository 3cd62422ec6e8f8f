import { describe, expect, it } from "vitest";
import type { RawAnswer } from "../../../models/core/postprocess/compiled.ts";
import { batchParity, parityRows } from "../../../models/core/predictor/batch-parity.ts";
import { RandomStream } from "../../../eval/stats/random.ts";

type Run = (rows: readonly number[]) => Promise<Record<string, readonly number[]>[]>;
const raw = (one: Record<string, readonly number[]>): Record<string, RawAnswer> =>
  Object.fromEntries(Object.entries(one).map(([head, numbers]) => [head, { numbers, exact: [], ranked: [] }]));
const asked = (run: Run) => async (some: readonly number[]) => (await run(some)).map(raw);
const rows = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const check = (some: readonly number[], run: Run, now: () => number = () => 0) =>
  batchParity(some, {
    tolerance: 1e-4,
    batch: 32,
    length: () => 1,
    index: (row) => row,
    run: asked(run),
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

describe("the comparison with the answer alone", () => {
  const shifted =
    (delta: number): Run =>
    async (some) =>
      some.map((row) => ({ y: [some.length > 1 ? row + delta * (1 + row) : row] }));

  it("is relative to one more than the answer, and a difference of exactly the tolerance is one", async () => {
    expect(await check([0, 4, 9], shifted(2 ** -14))).toMatchObject({ ok: true, maxDifference: 2 ** -14 });
    expect(await check([0, 4, 9], shifted(2 ** -13))).toMatchObject({ ok: false, maxDifference: 2 ** -13 });
    const bound = { tolerance: 2 ** -13, batch: 32, length: () => 1, index: (row: number) => row, now: () => 0 };
    expect(await batchParity([0, 4, 9], { ...bound, run: asked(shifted(2 ** -13)) })).toMatchObject({ ok: true });
  });

  it.each<[string, Run]>([
    [
      "a number that is NaN only in batches",
      async (some) => some.map((row) => ({ y: [some.length > 1 ? Number.NaN : row] })),
    ],
    [
      "a number that is NaN only alone",
      async (some) => some.map((row) => ({ y: [some.length > 1 ? row : Number.NaN] })),
    ],
    [
      "an output that has another length in batches",
      async (some) => some.map((row) => ({ y: some.length > 1 ? [row, 1] : [row] })),
    ],
    ["an output that batches lack", async (some) => some.map((row) => (some.length > 1 ? {} : { y: [row] }))],
  ])("counts %s as an infinite difference", async (_, run) => {
    expect(await check(rows(8), run)).toMatchObject({ ok: false, maxDifference: Infinity });
  });

  it("is none between NaN and NaN, or between equal infinities", async () => {
    const odd: Run = async (some) => some.map(() => ({ y: [Number.NaN, Infinity, -Infinity] }));
    expect(await check(rows(8), odd)).toMatchObject({ ok: true, maxDifference: 0, worstRow: null });
  });

  it("names the row that differs most, by its index in the given rows", async () => {
    const run: Run = async (some) => some.map((row) => ({ y: [some.length > 1 && row === 6 ? row + 1 : row] }));
    const more = {
      tolerance: 1e-4,
      batch: 32,
      length: (row: number) => -row,
      index: (row: number) => 100 + row,
      now: () => 0,
    };
    expect(await batchParity(rows(8), { ...more, run: asked(run) })).toMatchObject({ ok: false, worstRow: 106 });
  });
});

describe("the batches", () => {
  it("put the shortest beside the longest, and take rows of every length", async () => {
    const batches: number[][] = [];
    const run: Run = async (some) => {
      batches.push([...some]);
      return honest(some);
    };
    await batchParity(rows(200).toReversed(), {
      tolerance: 1e-4,
      batch: 4,
      length: (row) => row,
      index: (row) => row,
      run: asked(run),
      now: () => 0,
    });
    const first = batches.filter((batch) => batch.length > 1).slice(0, 16);
    expect(first[0]).toEqual([0, 199, 3, 196]);
    for (const batch of first) expect(batch.filter((row) => row < 100)).toHaveLength(2);
    const all = first.flat().toSorted((a, b) => a - b);
    expect(all).toHaveLength(64);
    expect([all[0], all.at(-1)]).toEqual([0, 199]);
    expect(Math.max(...all.slice(1).map((row, i) => row - all[i]!))).toBeLessThanOrEqual(4);
  });

  it("prepares few rows of many: the shortest, the longest, and what lies evenly between", () => {
    const lengths = Array.from({ length: 10_000 }, (_, i) => (i * 7919) % 10_000);
    const chosen = parityRows(lengths, (length) => length).map((index) => lengths[index]!);
    expect(chosen).toHaveLength(128);
    expect([chosen[0], chosen.at(-1)]).toEqual([0, 9_999]);
    expect(Math.max(...chosen.slice(1).map((length, i) => length - chosen[i]!))).toBeLessThanOrEqual(79);
    expect(parityRows(["b", "a"], () => 0)).toEqual([0, 1]);
  });
});
