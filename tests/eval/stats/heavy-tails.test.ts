import { describe, expect, it } from "vitest";
import { heavyTailedDegrees } from "../../../eval/stats/effective-degrees.ts";
import { heavyTailedInterval } from "../../../eval/stats/heavy-tails.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { studentQuantile } from "../../../eval/stats/student.ts";
import { normals } from "../../../bench/stats/normals.ts";

const f = (values: number[]): Float64Array => Float64Array.from(values);

describe("degrees of freedom over units with heavy tails", () => {
  const deviations = f([0.3, -0.1, -0.2, 1.5, -0.1, -0.4, 0.05, -0.3, -0.25, -0.5]);
  const variances = f([0.02, 0.01, 0.01, 0.03, 0.01, 0.02, 0.01, 0.01, 0.02, 0.02]);
  it("are NumPy's 2 df / (κ - 1), and units without variance do not count", () => {
    expect(heavyTailedDegrees(7.5, deviations, variances)).toBeCloseTo(4.596253332608983, 12);
    expect(heavyTailedDegrees(7.5, f([...deviations, 9]), f([...variances, 0]))).toBeCloseTo(4.596253332608983, 12);
  });
  it("are never more than normal units leave", () => {
    expect(heavyTailedDegrees(3, f([1, -1, 1, -1]), f([1, 1, 1, 1]))).toBe(3);
    expect(heavyTailedDegrees(4, new Float64Array(5), f([1, 1, 1, 1, 1]))).toBe(4);
  });
});

describe("the interval over units with heavy tails", () => {
  const one = { estimate: 0.2, standardError: 0.1, df: 39, effectiveDf: 12, skew: 0.02 };
  // t by scipy.stats.t.ppf, Hall's quantile by scipy.optimize.brentq, SciPy 1.17.1.
  it.each([
    ["as wide as both ask for", one, 1, 0.1782287555649159, 0.2535496285340601],
    ["the long end as far as the width leaves room", one, 0.37, 0.1782287555649159, 0.1917712444350841],
    ["both ends as far as the width allows", { ...one, effectiveDf: 4 }, 0.37, 0.185, 0.185],
    ["never narrower than t", one, 0.1, 0.16848751194973993, 0.16848751194973993],
  ])("%s", (_, estimate, widest, short, long) => {
    const right = heavyTailedInterval(estimate, 0.9, widest);
    expect(right.low).toBeCloseTo(0.2 - short, 8);
    expect(right.high).toBeCloseTo(0.2 + long, 8);
    const left = heavyTailedInterval({ ...estimate, skew: -estimate.skew }, 0.9, widest);
    expect(left.low).toBeCloseTo(0.2 - long, 8);
    expect(left.high).toBeCloseTo(0.2 + short, 8);
  });
  it("is t where nothing is heavy or skewed, and a point where nothing varies", () => {
    const t = studentQuantile(0.95, 39) * 0.1;
    const { low, high } = heavyTailedInterval({ ...one, effectiveDf: 39, skew: 0 }, 0.9, 1);
    expect([0.2 - low, high - 0.2]).toEqual([expect.closeTo(t, 12), expect.closeTo(t, 12)]);
    expect(heavyTailedInterval({ ...one, standardError: 0, skew: 0 }, 0.9, 0)).toEqual({ low: 0.2, high: 0.2 });
  });
  it("errs in at most 6 % at either end of means of 20 normal and of 60 lognormal values, seeded", () => {
    const gates = 4000;
    for (const [n, of, truth, most] of [
      [20, (z: number) => z, 0, 0.05],
      [60, (z: number) => Math.exp(0.8 * z), Math.exp(0.32), 0.06],
    ] as const) {
      let [below, above, plain] = [0, 0, 0];
      for (let gate = 0; gate < gates; gate++) {
        const values = normals(new RandomStream(40 + n, gate), n).map(of);
        const mean = values.reduce((sum, value) => sum + value / n, 0);
        const deviations = values.map((value) => mean - value);
        const squares = deviations.reduce((sum, d) => sum + d * d, 0);
        const cubes = deviations.reduce((sum, d) => sum - d ** 3, 0);
        const standardError = Math.sqrt(squares / (n - 1) / n);
        const ones = new Float64Array(n).fill(1);
        const seen = {
          estimate: mean,
          standardError,
          df: n - 1,
          effectiveDf: heavyTailedDegrees(n - 1, deviations, ones),
          skew: cubes / (6 * squares ** 1.5),
        };
        const widest = 2.3 * studentQuantile(0.95, n - 1) * standardError;
        const { low, high } = heavyTailedInterval(seen, 0.9, widest);
        if (high < truth) below++;
        if (low > truth) above++;
        if (mean + studentQuantile(0.95, n - 1) * standardError < truth) plain++;
      }
      // Three standard errors of the simulation above the rate.
      const allowed = gates * most + 3 * Math.sqrt(gates * most * (1 - most));
      expect(below, `${n}`).toBeLessThan(allowed);
      expect(above, `${n}`).toBeLessThan(allowed);
      if (n === 60) expect(plain).toBeGreaterThan(allowed);
    }
  });
});
