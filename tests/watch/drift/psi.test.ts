import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RandomStream } from "../../../eval/stats/random.ts";
import { decideDrift, driftThresholds } from "../../../watch/drift/decide-drift.ts";
import { psi, psiEstimate, psiWithoutDrift } from "../../../watch/drift/psi.ts";
import { draw } from "./draw.ts";
import { missing, referenceValues, where } from "../reference.ts";

const equal = (bins: number) => Array.from({ length: bins }, () => 1 / bins);

describe("psi", () => {
  it("agrees with SciPy's arithmetic on the same counts, value and interval", () => {
    const counts = {
      reference: [20, 20, 20, 20, 20, 20, 20, 20, 20, 20],
      live: [11, 6, 13, 11, 5, 11, 13, 14, 6, 30],
    };
    const { value, interval } = psiEstimate(counts, 0.9);
    expect(value).toBeCloseTo(0.24280682480149385, 13);
    expect(interval?.low).toBeCloseTo(0.009344017779468592, 8);
    expect(interval?.high).toBeCloseTo(0.3392864205728568, 8);
  });

  it.skipIf(missing)(`agrees with the four reference cases and their intervals ${where}`, () => {
    const cases = referenceValues("drift", "psi", "cases") as {
      referenceCounts: number[];
      currentCounts: number[];
      "add-half": number;
      expectedUnderNoDrift: number;
      criticalValue95: number;
      interval90AddHalf: [number, number];
    }[];
    expect(cases).toHaveLength(4);
    for (const one of cases) {
      const { value, interval, n, m } = psiEstimate({ reference: one.referenceCounts, live: one.currentCounts }, 0.9);
      expect(value).toBeCloseTo(one["add-half"], 12);
      expect(interval?.low).toBeCloseTo(one.interval90AddHalf[0], 8);
      expect(interval?.high).toBeCloseTo(one.interval90AddHalf[1], 8);
      const free = psiWithoutDrift(n, m, one.referenceCounts.length, 0.05);
      expect(free.mean).toBeCloseTo(one.expectedUnderNoDrift, 12);
      expect(free.high).toBeCloseTo(one.criticalValue95, 10);
    }
  });

  it("is 0 for equal shares, grows with the gap, and is the same whichever side is the reference", () => {
    expect(psi({ reference: [10, 20, 30], live: [10, 20, 30] })).toBe(0);
    const counts = fc.array(fc.nat(200), { minLength: 4, maxLength: 4 }).filter((all) => all.some((one) => one > 0));
    fc.assert(
      fc.property(counts, counts, (reference, live) => {
        const value = psi({ reference, live });
        expect(value).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(value)).toBe(true);
        expect(psi({ reference: live, live: reference })).toBeCloseTo(value, 10);
      }),
    );
  });

  it("follows the χ² approximation without drift: mean and 95 % point of 2,000 seeded windows", () => {
    const random = new RandomStream(1);
    const values = Array.from({ length: 2000 }, () =>
      psi({ reference: draw(random, 1000, equal(10)), live: draw(random, 200, equal(10)) }),
    ).toSorted((a, b) => a - b);
    const free = psiWithoutDrift(1000, 200, 10, 0.05);
    expect(values.reduce((sum, one) => sum + one, 0) / 2000 / free.mean).toBeCloseTo(1, 1);
    expect((values[1899] as number) / free.high).toBeCloseTo(1, 1);
  });
});

describe("the interval of PSI", () => {
  it.each([
    [1000, 500],
    [1000, 100],
    [10_000, 1000],
  ])("of %d and %d rows at level .9 misses the true PSI in about one of ten seeded windows", (n, m) => {
    const random = new RandomStream(3, n + m);
    const reference = equal(10);
    const live = reference.map((share, i) => share * (1 + (i - 4.5) / 9));
    const truth = reference.reduce(
      (sum, p, i) => sum + ((live[i] as number) - p) * Math.log((live[i] as number) / p),
      0,
    );
    let missed = 0;
    for (let window = 0; window < 500; window++) {
      const { interval } = psiEstimate({ reference: draw(random, n, reference), live: draw(random, m, live) }, 0.9);
      if (interval === null || interval.low > truth || interval.high < truth) missed++;
    }
    // 10 % and three standard errors.
    expect(missed / 500).toBeLessThan(0.1403);
    expect(missed / 500).toBeGreaterThan(0.0597);
  });

  it("widens with the design effect as with fewer rows", () => {
    const counts = { reference: [400, 300, 300], live: [150, 100, 50] };
    const plain = psiEstimate(counts, 0.9).interval;
    const wide = psiEstimate(counts, 0.9, { live: 3 }).interval;
    expect(wide?.low).toBeLessThan(plain?.low as number);
    expect(psiEstimate(counts, 0.9, { reference: 3, live: 3 }).pValue).toBeGreaterThan(psiEstimate(counts, 0.9).pValue);
  });
});

describe("degenerate windows", () => {
  it("with no rows on one side say nothing, and so decide nothing", () => {
    for (const counts of [
      { reference: [3, 4], live: [0, 0] },
      { reference: [0, 0], live: [3, 4] },
      { reference: [], live: [] },
    ]) {
      const estimate = psiEstimate(counts, 0.9);
      expect(estimate.value).toBeNaN();
      expect(estimate.interval).toBeNull();
      expect(decideDrift(estimate, driftThresholds.psi).verdict).toBe("INCONCLUSIVE");
    }
  });
  it("of a constant on both sides are stable; of another constant they drift", () => {
    const same = psiEstimate({ reference: [0, 500, 0], live: [0, 200, 0] }, 0.9);
    expect(same.value).toBe(0);
    expect(decideDrift(same, 0.1).state).toBe("STABLE");
    const other = psiEstimate({ reference: [0, 500, 0], live: [0, 0, 200] }, 0.9);
    expect(Number.isFinite(other.value)).toBe(true);
    expect(decideDrift(other, 0.1).state).toBe("DRIFT");
  });
  it("of ten rows that happen to fall evenly are inconclusive", () => {
    const reference = Array.from({ length: 10 }, () => 500);
    const even = psiEstimate({ reference, live: Array.from({ length: 10 }, () => 1) }, 0.9);
    expect(even.value).toBeCloseTo(0, 12);
    expect(decideDrift(even, 0.1).state).toBe("INCONCLUSIVE");
  });
  it("of five rows are inconclusive", () => {
    expect(decideDrift(psiEstimate({ reference: [300, 400, 300], live: [1, 3, 1] }, 0.9), 0.1).state).toBe(
      "INCONCLUSIVE",
    );
  });
});

describe("the decision by effect", () => {
  it.each([
    [{ low: 0.11, high: 0.2 }, "DRIFT", "FAIL"],
    [{ low: 0, high: 0.1 }, "STABLE", "PASS"],
    [{ low: 0.1, high: 0.2 }, "INCONCLUSIVE", "INCONCLUSIVE"],
    [{ low: 0.05, high: 0.15 }, "INCONCLUSIVE", "INCONCLUSIVE"],
    [{ low: Number.NaN, high: Number.NaN }, "INCONCLUSIVE", "INCONCLUSIVE"],
  ])("of %j at .1 is %s", (ends, state, verdict) => {
    const interval = { ...ends, level: 0.9, method: "" };
    expect(decideDrift({ interval }, 0.1)).toEqual({ state, verdict });
  });
  it("does not follow n: 0.03 standard deviations in 100,000 rows are stable", () => {
    // Deciles of a normal, and their shares after a shift of 0.03 sd: φ(z)·0.03 moves over each edge.
    const shift = [0.00526, 0.00314, 0.00203, 0.00118, 0.00038, -0.00038, -0.00118, -0.00203, -0.00314, -0.00526];
    const live = shift.map((one) => Math.round(100_000 * (0.1 - one)));
    const estimate = psiEstimate({ reference: Array.from({ length: 10 }, () => 10_000), live }, 0.9);
    expect(estimate.pValue).toBeLessThan(1e-5);
    expect(decideDrift(estimate, driftThresholds.psi).state).toBe("STABLE");
  });
});
