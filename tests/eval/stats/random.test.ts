import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../eval/stats/random.ts";
import { python } from "./reference.ts";

describe("RandomStream", () => {
  it("gives the words of the reference implementation for every seed and stream", () => {
    for (const { seed, stream, outputs } of python.xoshiro) {
      const random = new RandomStream(seed, stream);
      expect(outputs.map(() => random.next())).toEqual(outputs);
    }
  });
  it("draws the same indices whether one at a time or in blocks", () => {
    const blocks = new RandomStream(3, 4);
    const single = new RandomStream(3, 4);
    const out = new Uint32Array(100);
    blocks.fillBelow(out, 60, 7);
    blocks.fillBelow(out.subarray(60), 40, 7);
    expect([...out]).toEqual(Array.from(out, () => single.below(7)));
  });
  it("draws every index equally often: chi-square of 10^5 draws for bounds 97 and 3", () => {
    for (const bound of [97, 3]) {
      const counts = new Float64Array(bound);
      const out = new Uint32Array(100_000);
      new RandomStream(5, bound).fillBelow(out, out.length, bound);
      for (const index of out) (counts[index] as number)++;
      const expected = out.length / bound;
      const chi2 = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // Mean bound - 1, standard deviation √(2(bound - 1)); five of them.
      expect(chi2).toBeLessThan(bound - 1 + 5 * Math.sqrt(2 * (bound - 1)));
    }
  });
  it("is uniform on the open interval, with different streams uncorrelated", () => {
    const one = new RandomStream(9, 0);
    const two = new RandomStream(9, 1);
    let sum = 0;
    let product = 0;
    const n = 20_000;
    for (let i = 0; i < n; i++) {
      const u = one.uniform();
      const v = two.uniform();
      expect(u > 0 && u < 1).toBe(true);
      sum += u;
      product += (u - 0.5) * (v - 0.5);
    }
    expect(Math.abs(sum / n - 0.5)).toBeLessThan(5 / Math.sqrt(12 * n));
    expect(Math.abs((12 * product) / n)).toBeLessThan(5 / Math.sqrt(n));
  });
  it("does not repeat between neighbouring seeds", () => {
    const first = (seed: number): number => new RandomStream(seed).next();
    expect(new Set(Array.from({ length: 1000 }, (_, seed) => first(seed))).size).toBe(1000);
  });
});
