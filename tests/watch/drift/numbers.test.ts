import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalQuantile } from "../../../eval/stats/normal.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { alignHistograms } from "../../../watch/drift/distributions.ts";
import { jensenShannon, jensenShannonEstimate } from "../../../watch/drift/jensen-shannon.ts";
import { ksOfHistograms, ksOfSamples } from "../../../watch/drift/kolmogorov-smirnov.ts";
import { wasserstein, wassersteinOverSd } from "../../../watch/drift/wasserstein.ts";
import { draw } from "./draw.ts";
import { missing, referenceValues, where } from "../reference.ts";

const equal = (bins: number) => Array.from({ length: bins }, () => 1 / bins);
const counts = fc.array(fc.nat(200), { minLength: 4, maxLength: 4 }).filter((all) => all.some((one) => one > 0));
const numbers = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 30 });
const normals = (random: RandomStream, count: number, shift = 0) =>
  Array.from({ length: count }, () => normalQuantile(random.uniform()) + shift);
const histogram = (values: readonly number[], edges: readonly number[]) => {
  const filled = Array.from({ length: edges.length + 1 }, () => 0);
  for (const value of values) filled[edges.filter((edge) => value >= edge).length]!++;
  return { edges, counts: filled };
};

describe("Jensen-Shannon distance", () => {
  it("agrees with SciPy's jensenshannon of base 2", () => {
    expect(jensenShannon({ reference: [20, 30, 50, 0], live: [10, 25, 55, 10] })).toBeCloseTo(0.254472765976856, 14);
  });
  it("is 0 for equal shares, 1 for disjoint ones, symmetric, and within [0, 1]", () => {
    expect(jensenShannon({ reference: [1, 2], live: [10, 20] })).toBeCloseTo(0, 7);
    expect(jensenShannon({ reference: [5, 0], live: [0, 9] })).toBe(1);
    fc.assert(
      fc.property(counts, counts, (reference, live) => {
        const value = jensenShannon({ reference, live });
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        expect(jensenShannon({ reference: live, live: reference })).toBeCloseTo(value, 10);
      }),
    );
  });
  it("has an interval at 90 % that misses the true distance in about one of ten seeded windows", () => {
    const random = new RandomStream(31);
    const shares = equal(10).map((share, i) => share * (1 + (i - 4.5) / 9));
    const truth = jensenShannon({ reference: equal(10), live: shares });
    let missed = 0;
    for (let window = 0; window < 1000; window++) {
      const one = { reference: draw(random, 1000, equal(10)), live: draw(random, 500, shares) };
      const { interval } = jensenShannonEstimate(one, 0.9);
      if (interval === null || interval.low > truth || interval.high < truth) missed++;
    }
    expect(missed / 1000).toBeLessThan(0.1285);
    expect(missed / 1000).toBeGreaterThan(0.0715);
  });
  it("without drift has p ≤ .05 in about one of twenty seeded windows", () => {
    const random = new RandomStream(32);
    let small = 0;
    for (let window = 0; window < 1000; window++) {
      const one = { reference: draw(random, 1000, equal(10)), live: draw(random, 300, equal(10)) };
      if (jensenShannonEstimate(one, 0.9).pValue <= 0.05) small++;
    }
    expect(small / 1000).toBeLessThan(0.0707);
    expect(small / 1000).toBeGreaterThan(0.0293);
  });
  it("of an empty side is NaN, and of one bin 0", () => {
    expect(jensenShannonEstimate({ reference: [1, 2], live: [0, 0] }, 0.9)).toMatchObject({
      value: Number.NaN,
      interval: null,
    });
    expect(jensenShannonEstimate({ reference: [9, 0], live: [3, 0] }, 0.9)).toMatchObject({ value: 0, pValue: 1 });
  });
});

describe("Kolmogorov-Smirnov", () => {
  it("agrees with SciPy's D on tied values, and with a permutation p of 9,999", () => {
    const x = [1, 1, 2, 2, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9];
    const y = [2, 2, 3, 4, 4, 5, 5, 5, 6, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12];
    const { value, pValue } = ksOfSamples(x, y, 0.9);
    expect(value).toBeCloseTo(0.36666666666666664, 14);
    expect(Math.abs(pValue - 0.1109)).toBeLessThan(0.031);
  });
  it.skipIf(missing)(`agrees with SciPy's D of continuous values ${where}`, () => {
    const { x, y, d } = referenceValues("drift", "ks", "continuous") as { x: number[]; y: number[]; d: number };
    expect(ksOfSamples(x, y, 0.9).value).toBeCloseTo(d, 14);
  });
  it("without drift has p ≤ .05 in at most one of twenty of 600 seeded pairs", () => {
    const random = new RandomStream(41);
    let small = 0;
    for (let pair = 0; pair < 600; pair++)
      if (ksOfSamples(normals(random, 120), normals(random, 60), 0.9).pValue <= 0.05) small++;
    expect(small / 600).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 600));
    expect(small).toBeGreaterThan(0);
  });
  it("has an interval that misses D of a shift in fewer than the level says", () => {
    const random = new RandomStream(42);
    // Normals a half apart: D = 2Φ(¼) - 1.
    const truth = 0.19741;
    let missed = 0;
    for (let pair = 0; pair < 200; pair++) {
      const { interval } = ksOfSamples(normals(random, 400), normals(random, 200, 0.5), 0.9);
      if (interval === null || interval.low > truth || interval.high < truth) missed++;
    }
    expect(missed).toBeLessThan(20);
  });
  it("has both bands of Dvoretzky, Kiefer and Wolfowitz around it, each at half of the error", () => {
    const half = { edges: [0], counts: [100, 100] };
    const { value, interval } = ksOfHistograms(half, { edges: [0], counts: [60, 40] }, 0.9);
    expect(value).toBeCloseTo(0.1, 12);
    // √(ln(4/.1)/2n) for 200 and 100 rows; within its bins D may reach .6.
    const reach = Math.sqrt(Math.log(40) / 400) + Math.sqrt(Math.log(40) / 200);
    expect(interval?.low).toBe(0);
    expect(interval?.high).toBeCloseTo(0.6 + reach, 12);
    const apart = ksOfSamples(
      Array.from({ length: 200 }, (_, i) => i),
      Array.from({ length: 100 }, (_, i) => 1000 + i),
      0.9,
    );
    expect(apart.interval?.low).toBeCloseTo(1 - reach, 12);
    expect(apart.interval?.high).toBe(1);
  });
  it("of histograms lies at or below that of their values, and its upper bound at or above", () => {
    fc.assert(
      fc.property(numbers, numbers, (x, y) => {
        const d = ksOfSamples(x, y, 0.9).value;
        const edges = [-7, 0, 3, 11];
        const { value, upperBound } = ksOfHistograms(histogram(x, edges), histogram(y, edges), 0.9);
        expect(value).toBeLessThanOrEqual(d + 1e-12);
        expect(upperBound).toBeGreaterThanOrEqual(d - 1e-12);
      }),
    );
  });
  it("of samples is symmetric, and does not change when all values are stretched", () => {
    fc.assert(
      fc.property(numbers, numbers, (x, y) => {
        const { value } = ksOfSamples(x, y, 0.9);
        expect(ksOfSamples(y, x, 0.9).value).toBeCloseTo(value, 12);
        const cube = (all: number[]) => all.map((one) => one ** 3);
        expect(ksOfSamples(cube(x), cube(y), 0.9).value).toBeCloseTo(value, 12);
      }),
      { numRuns: 30 },
    );
  });
  it("of nothing says nothing, of constants 0 or 1, and refuses NaN", () => {
    expect(ksOfSamples([], [1], 0.9)).toMatchObject({ value: Number.NaN, interval: null });
    expect(ksOfSamples([4, 4, 4], [4, 4], 0.9)).toMatchObject({ value: 0, pValue: 1 });
    expect(ksOfSamples([4, 4, 4], [5, 5], 0.9).value).toBe(1);
    expect(() => ksOfSamples([1, Number.NaN], [2], 0.9)).toThrow(/count missing values apart/);
    expect(ksOfHistograms({ edges: [1], counts: [0, 0] }, { edges: [1], counts: [1, 2] }, 0.9).value).toBeNaN();
  });
});

describe("histograms", () => {
  it("on other edges are refused, and so are those with a wrong number of counts", () => {
    expect(() => alignHistograms({ edges: [1], counts: [1, 1] }, { edges: [2], counts: [1, 1] })).toThrow(/same edges/);
    const three = { edges: [1, 2], counts: [1, 1, 1] };
    expect(() => alignHistograms({ edges: [1], counts: [1, 1] }, three)).toThrow(/same edges/);
    expect(() => alignHistograms(three, { edges: [1], counts: [1, 1] })).toThrow(/same edges/);
    expect(() => alignHistograms({ edges: [1], counts: [1] }, { edges: [1], counts: [1, 1] })).toThrow(
      /one count more than edges.*1 edges and 1 counts/,
    );
  });
});

describe("Wasserstein distance", () => {
  it("agrees with SciPy's wasserstein_distance", () => {
    expect(wasserstein([0, 1, 3], [5, 6, 8, 8])).toBeCloseTo(5.416666666666666, 13);
  });
  it.skipIf(missing)(`over the reference's sd agrees with SciPy's on 200 and 120 values ${where}`, () => {
    const { reference, cur } = referenceValues("drift", "psi") as { reference: number[]; cur: number[] };
    const { distance, overReferenceSdDdof0 } = referenceValues("drift", "wasserstein") as Record<string, number>;
    expect(wasserstein(reference, cur)).toBeCloseTo(distance!, 11);
    expect(wassersteinOverSd(reference, cur)).toBeCloseTo(overReferenceSdDdof0!, 12);
  });
  it("of a shift is the shift, is symmetric, and obeys the triangle inequality", () => {
    fc.assert(
      fc.property(numbers, numbers, numbers, fc.integer({ min: -9, max: 9 }), (x, y, z, shift) => {
        expect(
          wasserstein(
            x,
            x.map((one) => one + shift),
          ),
        ).toBeCloseTo(Math.abs(shift), 9);
        expect(wasserstein(x, y)).toBeCloseTo(wasserstein(y, x), 9);
        expect(wasserstein(x, z)).toBeLessThanOrEqual(wasserstein(x, y) + wasserstein(y, z) + 1e-9);
      }),
    );
  });
  it("without drift shrinks with the rows: below .2 sd in 100 seeded pairs of 1,000", () => {
    const random = new RandomStream(51);
    for (let pair = 0; pair < 100; pair++)
      expect(wassersteinOverSd(normals(random, 1000), normals(random, 1000))).toBeLessThan(0.2);
  });
  it("of a constant reference is 0 or Infinity, never NaN; of nothing or NaN it is NaN", () => {
    expect(wassersteinOverSd([3, 3], [3, 3, 3])).toBe(0);
    expect(wassersteinOverSd([3, 3], [4])).toBe(Number.POSITIVE_INFINITY);
    expect(wassersteinOverSd([], [4])).toBeNaN();
    expect(wasserstein([Number.NaN], [4])).toBeNaN();
  });
});
