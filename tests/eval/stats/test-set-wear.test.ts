import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../eval/stats/random.ts";
import { testSetWear } from "../../../eval/stats/test-set-wear.ts";

describe("wear of a test set", () => {
  it("agrees with the reference's bounds", () => {
    expect(testSetWear(200, 500).optimism).toBeCloseTo(0.09480082710958788, 14);
    expect(testSetWear(1, 500).optimism).toBeCloseTo(0.060736146190830516, 14);
    expect(testSetWear(50, 3000).adaptiveOptimism).toBeCloseTo(0.07994397880402584, 14);
    expect(testSetWear(50, 3000).optimism).toBeCloseTo(0.03559237385438554, 14);
  });
  it("grows with candidates, shrinks with rows, and is never below one look's", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 100_000 }), (k, n) => {
        const { optimism, adaptiveOptimism } = testSetWear(k, n);
        expect(testSetWear(k + 1, n).optimism).toBeGreaterThan(optimism);
        expect(testSetWear(k, n + 1).optimism).toBeLessThan(optimism);
        expect(adaptiveOptimism).toBeGreaterThanOrEqual(Math.min(optimism, testSetWear(1, n).optimism) - 1e-12);
      }),
    );
  });
  it("says how many candidates are left, and the next one is worn", () => {
    const { candidatesLeft, worn } = testSetWear(10, 5000, 0.03);
    expect(worn).toBe(false);
    expect(testSetWear(10 + candidatesLeft!, 5000, 0.03).worn).toBe(false);
    expect(testSetWear(11 + candidatesLeft!, 5000, 0.03)).toMatchObject({ worn: true, candidatesLeft: 0 });
    expect(testSetWear(10, 5000).candidatesLeft).toBeNull();
  });
  it("bounds the best of 50 random submissions in all but alpha of 200 seeded datasets", () => {
    const random = new RandomStream(131);
    const { optimism } = testSetWear(50, 200);
    let beyond = 0;
    for (let set = 0; set < 200; set++) {
      let best = 0;
      for (let candidate = 0; candidate < 50; candidate++) {
        let right = 0;
        for (let row = 0; row < 200; row++) if (random.uniform() < 0.5) right++;
        best = Math.max(best, right / 200);
      }
      if (best - 0.5 > optimism) beyond++;
    }
    expect(beyond / 200).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 200));
  });
  it("refuses what is no count", () => {
    expect(() => testSetWear(0, 10)).toThrow(/candidates must be a whole number from 1, got 0/);
    expect(() => testSetWear(1, 2.5)).toThrow(/rows/);
  });
});
