import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holm } from "../../../eval/stats/holm.ts";
import { normalQuantile } from "../../../eval/stats/normal.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { type PairedCounts, tango } from "../../../eval/stats/tango.ts";
import { unseenProbability } from "../../../eval/stats/rule-of-three.ts";
import { wilson } from "../../../eval/stats/wilson.ts";
import { python, r } from "./reference.ts";

const counts = ([both, first, second, neither]: readonly [number, number, number, number]): PairedCounts => ({
  both,
  first,
  second,
  neither,
});
const anyCounts = fc
  .tuple(fc.nat(300), fc.nat(60), fc.nat(60), fc.nat(300))
  .filter(([a, b, c, d]) => a + b + c + d > 0);

describe("wilson", () => {
  it("agrees with SciPy's binomtest to 1e-12", () => {
    for (const { successes, trials, level, low, high } of python.wilson) {
      const ends = wilson(successes, trials, level);
      expect(ends.low).toBeCloseTo(low, 12);
      expect(ends.high).toBeCloseTo(high, 12);
    }
  });
  it("never has width 0 and always contains the share", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (trials, share) => {
        const successes = Math.round(share * trials);
        const { low, high } = wilson(successes, trials, 0.9);
        expect(low).toBeLessThan(high);
        expect(low).toBeLessThanOrEqual(successes / trials);
        expect(high).toBeGreaterThanOrEqual(successes / trials);
      }),
    );
  });
});

describe("tango", () => {
  it("agrees with a numerical inversion of the score test in SciPy to 1e-12", () => {
    for (const { counts: four, level, low, high } of python.tango90) {
      const ends = tango(counts(four), level);
      expect(ends.low).toBeCloseTo(low, 12);
      expect(ends.high).toBeCloseTo(high, 12);
    }
  });
  it("is McNemar's test at a difference of 0: the level whose interval just touches 0 is its level", () => {
    const z = Math.sqrt(r.mcnemar.chi2);
    // |z| of McNemar's test in R is the normal quantile of the one-sided level at which an end reaches 0.
    let low = 0.5;
    let high = 0.9999;
    for (let i = 0; i < 60; i++) {
      const level = (low + high) / 2;
      if (tango(counts(r.mcnemar.counts), level).high < 0) low = level;
      else high = level;
    }
    expect(normalQuantile(0.5 + low / 2)).toBeCloseTo(z, 9);
  });
  it("is z²/(n + z²) wide on either side when no row is discordant", () => {
    const z2 = normalQuantile(0.95) ** 2;
    const ends = tango({ both: 40, first: 0, second: 0, neither: 10 }, 0.9);
    expect(ends.high).toBeCloseTo(z2 / (50 + z2), 12);
    expect(ends.low).toBeCloseTo(-z2 / (50 + z2), 12);
  });
  it("reaches ±1 only when all rows agree", () => {
    expect(tango({ both: 0, first: 9, second: 0, neither: 0 }, 0.9).high).toBe(1);
    expect(tango({ both: 0, first: 0, second: 9, neither: 0 }, 0.9).low).toBe(-1);
    expect(tango({ both: 0, first: 9, second: 0, neither: 0 }, 0.9).low).toBeLessThan(1);
  });
});

describe("tango on any counts", () => {
  it("contains the estimate, stays within ±1 and never has width 0", () => {
    fc.assert(
      fc.property(anyCounts, ([both, first, second, neither]) => {
        const { low, high } = tango({ both, first, second, neither }, 0.9);
        const difference = (first - second) / (both + first + second + neither);
        expect(low).toBeGreaterThanOrEqual(-1);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThan(high);
        expect(low).toBeLessThanOrEqual(difference + 1e-12);
        expect(high).toBeGreaterThanOrEqual(difference - 1e-12);
      }),
    );
  });
  it("changes sign when the models swap places", () => {
    fc.assert(
      fc.property(anyCounts, ([both, first, second, neither]) => {
        const one = tango({ both, first, second, neither }, 0.9);
        const other = tango({ both, first: second, second: first, neither }, 0.9);
        expect(one.low).toBeCloseTo(-other.high, 11);
        expect(one.high).toBeCloseTo(-other.low, 11);
      }),
    );
  });
});

describe("calibration of the paired rate interval, seeded", () => {
  it.each([
    [200, 0.9, 0.03],
    [400, 0.6, 0.05],
    [1000, 0.97, 0.01],
  ])(
    "n = %d, share %d, margin %d: a true change of -margin passes in at most alpha of 400 gates",
    (n, share, margin) => {
      const random = new RandomStream(11, n);
      const worse = margin + 0.01;
      let wrong = 0;
      for (let gate = 0; gate < 400; gate++) {
        const four = { both: 0, first: 0, second: 0, neither: 0 };
        for (let i = 0; i < n; i++) {
          const u = random.uniform();
          if (u < worse) four.second++;
          else if (u < worse + 0.01) four.first++;
          else if (u < share) four.both++;
          else four.neither++;
        }
        if (tango(four, 0.9).low > -margin) wrong++;
      }
      // alpha + three standard errors of a share of 0.05 in 400.
      expect(wrong / 400).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 400));
      expect(wrong).toBeGreaterThan(0);
    },
  );
});

describe("unseenProbability", () => {
  it("is the exact rule of three", () => {
    expect((1 - unseenProbability(30, 0.05)) ** 30).toBeCloseTo(0.05, 14);
    expect(unseenProbability(1e6, 0.05) * 1e6).toBeCloseTo(-Math.log(0.05), 5);
    expect(unseenProbability(0, 0.05)).toBe(1);
  });
});

describe("holm", () => {
  it("agrees with R's p.adjust", () => {
    expect(holm(r.holm.p)).toEqual(r.holm.adjusted.map((p) => expect.closeTo(p, 14)));
  });
  it("keeps the order given, is never below the raw value and counts NaN as a test", () => {
    expect(holm([0.03, 0.01])).toEqual([0.03, 0.02]);
    expect(holm([])).toEqual([]);
    expect(holm([Number.NaN, 0.01])).toEqual([Number.NaN, 0.02]);
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (p) =>
        holm(p).every((adjusted, i) => adjusted >= (p[i] as number) && adjusted <= 1),
      ),
    );
  });
});

describe("Tango's interval with few discordant rows", () => {
  /** Probability that an end at level 0.9 excludes the true difference -margin, over all outcomes of n rows. */
  const errorsOf = (n: number, gained: number, lost: number) => {
    let pass = 0;
    let fail = 0;
    const log = Array.from({ length: n + 1 }, () => 0);
    for (let k = 2; k <= n; k++) log[k] = (log[k - 1] as number) + Math.log(k);
    const power = (base: number, k: number): number => (k === 0 ? 0 : k * Math.log(base));
    const most = Math.ceil(n * (gained + lost) + 8 * Math.sqrt(n * (gained + lost)) + 10);
    for (let first = 0; first <= (gained === 0 ? 0 : most); first++)
      for (let second = 0; second <= most && first + second <= n; second++) {
        const rest = n - first - second;
        const probability = Math.exp(
          (log[n] as number) -
            (log[first] as number) -
            (log[second] as number) -
            (log[rest] as number) +
            power(gained, first) +
            power(lost, second) +
            power(1 - gained - lost, rest),
        );
        if (probability < 1e-8) continue;
        const { low, high } = tango({ both: rest, first, second, neither: 0 }, 0.9);
        if (low > gained - lost) pass += probability;
        if (high < gained - lost) fail += probability;
      }
    return { pass, fail };
  };
  it("errs in at most 6 % on either side near 1: 97 % against 94 %, and its neighbours, by enumeration", () => {
    for (const n of [100, 200])
      for (const margin of [0.02, 0.03])
        for (const gained of [0, 0.005, 0.01]) {
          const { pass, fail } = errorsOf(n, gained, gained + margin);
          expect(pass).toBeLessThan(0.06);
          expect(fail).toBeLessThan(0.06);
        }
  });
  it("is the plain one where many rows are discordant", () => {
    // Tango (1998), Table I form: the ends invert the score, to the last digit.
    const { low, high } = tango({ both: 2600, first: 60, second: 67, neither: 273 }, 0.9);
    const z = normalQuantile(0.95);
    for (const [delta, target] of [
      [low, z],
      [high, -z],
    ] as const) {
      const b = -127 + (2 * 3000 + 7) * delta;
      const q = (Math.sqrt(b * b + 8 * 3000 * 67 * delta * (1 - delta)) - b) / 12000;
      expect((-7 - 3000 * delta) / Math.sqrt(3000 * (2 * q + delta * (1 - delta)))).toBeCloseTo(target, 9);
    }
  });
});
