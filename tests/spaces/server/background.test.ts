import { describe, expect, it } from "vitest";
import { createBackground } from "../../../spaces/server/serving/background.ts";

type Load = { queuedRows: number; runningGroups: number; estimatedWaitMs: number; liveAt: number };

/** A machine whose clock only moves when somebody works or sleeps. */
function machine(share: number, rowMs: number, engine = "worker") {
  let time = 10_000;
  const load: Load = { queuedRows: 0, runningGroups: 0, estimatedWaitMs: 0, liveAt: -Infinity };
  let worked = 0;
  const slices: number[] = [];
  const model = { digest: "a", card: () => ({ engine: { kind: engine } }) };
  const background = createBackground(share, () => [load], {
    now: () => time,
    sleep: async (ms) => {
      time += Math.max(ms, 0.01);
    },
  });
  return {
    load,
    slices,
    now: () => time,
    worked: () => worked,
    live: () => {
      load.liveAt = time;
    },
    run: (onSlice = () => {}) =>
      background.run(model, async (rows) => {
        onSlice();
        slices.push(rows);
        time += rows * rowMs;
        worked += rows * rowMs;
        return rows;
      }),
  };
}

describe("background rows", () => {
  it.each([0.01, 0.05, 0.5])("take at most a share of %d of the time while somebody asks", async (share) => {
    const one = machine(share, 0.5);
    const began = one.now();
    while (one.now() - began < 60_000) {
      one.live();
      await one.run();
    }
    const took = one.worked() / (one.now() - began);
    expect(took).toBeLessThanOrEqual(share * 1.05);
    expect(took).toBeGreaterThan(share * 0.5);
  });

  it("take nearly all of it when nobody asks", async () => {
    const one = machine(0.05, 0.5);
    const began = one.now();
    while (one.now() - began < 10_000) await one.run();
    expect(one.worked() / (one.now() - began)).toBeGreaterThan(0.95);
  });

  it.each([
    ["main", true, 2],
    ["main", false, 8],
    ["worker", true, 20],
    ["worker", false, 80],
  ])("run on %s (somebody asks: %s) in slices of about %d ms", async (engine, live, sliceMs) => {
    const one = machine(0.5, 0.1, engine);
    for (let i = 0; i < 30; i++) {
      if (live) one.live();
      await one.run();
    }
    expect(one.slices[0]).toBe(1);
    expect(one.slices.at(-1)).toBe(Math.min(512, sliceMs / 0.1));
    expect(Math.max(...one.slices) * 0.1).toBeLessThanOrEqual(sliceMs);
  });

  it("are one row at a time where a row takes longer than a slice", async () => {
    const one = machine(0.5, 300);
    for (let i = 0; i < 5; i++) await one.run();
    expect(new Set(one.slices)).toEqual(new Set([1]));
  });

  it("wait while a request waits or runs, and get their share in the end", async () => {
    const one = machine(0.05, 1);
    one.load.runningGroups = 1;
    const began = one.now();
    await one.run(() => expect(one.now() - began).toBeGreaterThanOrEqual(500));
    expect(one.slices).toEqual([1]);
  });

  it("follow one another, also of two jobs", async () => {
    const one = machine(1, 1);
    let inside = 0;
    await Promise.all(
      Array.from({ length: 5 }, () =>
        one.run(() => {
          inside += 1;
          expect(inside).toBe(one.slices.length + 1);
        }),
      ),
    );
    expect(one.slices.length).toBe(5);
  });
});
