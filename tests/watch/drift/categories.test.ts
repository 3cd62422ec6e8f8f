import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../eval/stats/random.ts";
import { benjaminiHochberg, falseDiscoveryRate } from "../../../watch/drift/benjamini-hochberg.ts";
import { designEffect } from "../../../watch/drift/design-effect.ts";
import { alignCategories } from "../../../watch/drift/distributions.ts";
import { homogeneity } from "../../../watch/drift/homogeneity.ts";
import { falseAlarmsPerYear, lookLevel } from "../../../watch/drift/look-level.ts";
import { rateChange } from "../../../watch/drift/rate-change.ts";
import { draw } from "./draw.ts";

describe("categories", () => {
  const reference = { categories: ["a", "b", "c"], counts: [120, 60, 20], other: 0 };
  it("are aligned by name, and what was never seen has a column of its own", () => {
    const live = { categories: ["c", "new", "a", "b"], counts: [25, 15, 80, 55], other: 0 };
    expect(alignCategories(reference, live)).toEqual({ reference: [120, 60, 20, 0], live: [80, 55, 25, 15] });
  });
  it("that are missing live count 0, and rare ones stay with the rare ones", () => {
    expect(alignCategories({ ...reference, other: 7 }, { categories: ["b"], counts: [4], other: 3 })).toEqual({
      reference: [120, 60, 20, 7],
      live: [0, 4, 0, 3],
    });
  });
});

describe("homogeneity", () => {
  it("agrees with SciPy's chi2_contingency, G and Cramér's V", () => {
    const result = homogeneity({ reference: [120, 60, 20, 0], live: [80, 55, 25, 15] }, 0.9);
    expect(result.chiSquare).toBeCloseTo(22.204968944099377, 11);
    expect(result.pValue).toBeCloseTo(5.9128764995872625e-5, 14);
    expect(result.df).toBe(3);
    expect(result.g).toBeCloseTo(27.95488160657823, 11);
    expect(result.gPValue).toBeCloseTo(3.7121032992050898e-6, 15);
    expect(result.cramersV.value).toBeCloseTo(0.24333772933435197, 13);
  });
  it("folds columns whose expected count is below five, and keeps all rows", () => {
    const result = homogeneity({ reference: [500, 300, 2, 1, 1], live: [50, 30, 0, 1, 0] }, 0.9);
    expect(result.columns).toBe(2);
    expect(result.cramersV.n + result.cramersV.m).toBe(885);
  });
  it("with one category left has p = 1 and no effect", () => {
    expect(homogeneity({ reference: [9, 0], live: [4, 0] }, 0.9)).toMatchObject({ df: 0, pValue: 1, gPValue: 1 });
    expect(homogeneity({ reference: [2, 1], live: [1, 2] }, 0.9).cramersV.interval).toMatchObject({ low: 0, high: 0 });
  });
  it("of an empty side says nothing", () => {
    expect(homogeneity({ reference: [], live: [3] }, 0.9).cramersV.interval).toBeNull();
    expect(homogeneity({ reference: [3], live: [0] }, 0.9).pValue).toBeNaN();
  });
  it.each([
    [2000, 300],
    [300, 60],
  ])("without drift has p ≤ .05 in about one of twenty seeded windows of %d and %d rows", (n, m) => {
    const random = new RandomStream(61, n);
    const shares = [0.5, 0.3, 0.15, 0.05];
    let chiSquare = 0;
    let g = 0;
    for (let window = 0; window < 1000; window++) {
      const result = homogeneity({ reference: draw(random, n, shares), live: draw(random, m, shares) }, 0.9);
      if (result.pValue <= 0.05) chiSquare++;
      if (result.gPValue <= 0.05) g++;
    }
    expect(chiSquare / 1000).toBeLessThan(0.0707);
    expect(chiSquare / 1000).toBeGreaterThan(0.0293);
    expect(g / 1000).toBeLessThan(0.0757);
  });
  it("has an interval of V at 90 % that misses in about one of ten seeded windows", () => {
    const random = new RandomStream(62);
    const [p, q] = [
      [0.4, 0.4, 0.2],
      [0.3, 0.4, 0.3],
    ];
    const truth = Math.sqrt(
      p!.reduce((sum, one, i) => sum + ((one - q![i]!) ** 2 * 0.25) / (0.5 * one + 0.5 * q![i]!), 0),
    );
    let missed = 0;
    for (let window = 0; window < 1000; window++) {
      const counts = { reference: draw(random, 600, p!), live: draw(random, 600, q!) };
      const { interval } = homogeneity(counts, 0.9).cramersV;
      if (interval === null || interval.low > truth || interval.high < truth) missed++;
    }
    expect(missed / 1000).toBeLessThan(0.1285);
    expect(missed / 1000).toBeGreaterThan(0.0715);
  });
});

describe("change of a rate", () => {
  it.each([
    // Newcombe (1998), Table II, (a) to (c) of method 10.
    [48, 80, 56, 70, 0.0524, 0.3339],
    [3, 10, 9, 10, 0.1705, 0.809],
    [2, 7, 6, 7, 0.0582, 0.8062],
  ])("from %d of %d to %d of %d agrees with Newcombe's table", (a, n, b, m, low, high) => {
    const { interval } = rateChange({ counted: a, rows: n }, { counted: b, rows: m }, 0.95);
    expect(interval?.low).toBeCloseTo(low, 4);
    expect(interval?.high).toBeCloseTo(high, 4);
  });
  it("at 90 % misses no change in about one of ten seeded windows", () => {
    const random = new RandomStream(71);
    let missed = 0;
    for (let window = 0; window < 1000; window++) {
      const [, before] = draw(random, 1000, [0.95, 0.05]);
      const [, after] = draw(random, 200, [0.95, 0.05]);
      const { interval } = rateChange({ counted: before!, rows: 1000 }, { counted: after!, rows: 200 }, 0.9);
      if (interval === null || interval.low > 0 || interval.high < 0) missed++;
    }
    expect(missed / 1000).toBeLessThan(0.1285);
    expect(missed / 1000).toBeGreaterThan(0.05);
  });
  it("of two rates of 0 is never of width 0, and of no rows says nothing", () => {
    const { interval } = rateChange({ counted: 0, rows: 100 }, { counted: 0, rows: 50 }, 0.9);
    expect(interval!.high).toBeGreaterThan(interval!.low);
    expect(rateChange({ counted: 0, rows: 100 }, { counted: 0, rows: 0 }, 0.9).interval).toBeNull();
  });
});

describe("Benjamini and Hochberg", () => {
  it("agrees with statsmodels' fdr_bh", () => {
    const p = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275, 0.34];
    const adjusted = benjaminiHochberg(p);
    expect(adjusted[0]).toBeCloseTo(0.015, 14);
    expect(adjusted[2]).toBeCloseTo(0.126, 14);
    expect(adjusted[7]).toBeCloseTo(0.29464285714285715, 14);
    expect(adjusted[14]).toBeCloseTo(0.34, 14);
    expect(adjusted.filter((one) => one <= falseDiscoveryRate)).toHaveLength(1);
  });
  it("keeps the order given, is never below the raw value, and leaves NaN out", () => {
    expect(benjaminiHochberg([])).toEqual([]);
    expect(benjaminiHochberg([Number.NaN, 0.02, 0.01])).toEqual([Number.NaN, 0.02, 0.02]);
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (p) =>
        benjaminiHochberg(p).every((one, i) => one >= p[i]! && one <= 1),
      ),
    );
  });
  it("names anything at all in about one of twenty seeded sets of 20 features without drift", () => {
    const random = new RandomStream(81);
    let named = 0;
    for (let set = 0; set < 2000; set++) {
      const p = Array.from({ length: 20 }, () => random.uniform());
      if (benjaminiHochberg(p).some((one) => one <= falseDiscoveryRate)) named++;
    }
    expect(named / 2000).toBeLessThan(0.0647);
    expect(named / 2000).toBeGreaterThan(0.0353);
  });
});

describe("design effect", () => {
  it("is Pearson's X² over its degrees of freedom: 8 of 30 and 22 of 30 give 13.07", () => {
    // X² = 2·(7²/15 + 7²/15) by hand.
    expect(
      designEffect([
        [8, 22],
        [22, 8],
      ]),
    ).toBeCloseTo((4 * 49) / 15, 12);
  });
  it("is about 1 for independent rows, and about 1 + (days' rows - 1)ρ for days that differ", () => {
    const random = new RandomStream(91);
    const mean = (day: () => number[]) => {
      const effects = Array.from({ length: 300 }, () => designEffect(Array.from({ length: 28 }, day))!);
      return effects.reduce((sum, one) => sum + one, 0) / effects.length;
    };
    const plain = mean(() => draw(random, 100, [0.5, 0.5]));
    expect(plain).toBeGreaterThanOrEqual(1);
    expect(plain).toBeLessThan(1.2);
    // A day's share is .4 or .6: ρ = .01/.25, effect 1 + 99 · .04 = 4.96.
    const uneven = mean(() => draw(random, 100, random.uniform() < 0.5 ? [0.4, 0.6] : [0.6, 0.4]));
    expect(uneven).toBeGreaterThan(4.6);
    expect(uneven).toBeLessThan(5.4);
  });
  it("needs two blocks with rows and two bins", () => {
    expect(designEffect([])).toBeNull();
    expect(
      designEffect([
        [5, 5],
        [0, 0],
      ]),
    ).toBeNull();
    expect(
      designEffect([
        [5, 0],
        [3, 0],
      ]),
    ).toBeNull();
  });
});

describe("what one look may err with", () => {
  it("adds up to one false alarm a year over looks and series", () => {
    fc.assert(
      fc.property(fc.integer({ min: 12, max: 9000 }), fc.integer({ min: 1, max: 50 }), (looksPerYear, series) => {
        const { alpha, level } = lookLevel({ looksPerYear, series });
        expect(alpha * looksPerYear * series).toBeCloseTo(falseAlarmsPerYear, 9);
        expect(level).toBeCloseTo(1 - 2 * alpha, 12);
      }),
    );
  });
  it("is never more than a quarter, and refuses what is no count", () => {
    expect(lookLevel({ looksPerYear: 1, series: 1 }).alpha).toBe(0.25);
    expect(() => lookLevel({ looksPerYear: 0, series: 1 })).toThrow(/looksPerYear must be above 0, got 0/);
    expect(() => lookLevel({ looksPerYear: 365, series: Number.NaN })).toThrow(/series/);
  });
});
