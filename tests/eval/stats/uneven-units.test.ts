import { describe, expect, it } from "vitest";
import { normals } from "../../../bench/stats/normals.ts";
import { degreesOf, effectiveDegrees } from "../../../eval/stats/effective-degrees.ts";
import { expandedLevel } from "../../../eval/stats/expanded-level.ts";
import { hallQuantile, isSkewed, lengthenForSkew } from "../../../eval/stats/hall.ts";
import { acceleration, pooledAcceleration } from "../../../eval/stats/jackknife.ts";
import { normalCdf } from "../../../eval/stats/normal.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { effectiveUnits, residualMoments } from "../../../eval/stats/satterthwaite.ts";
import { studentQuantile } from "../../../eval/stats/student.ts";
import { clusterMoments, pooledMoments, robustMoments, weightedMoments } from "../../../eval/stats/uneven-moments.ts";

const f = (values: number[]): Float64Array => Float64Array.from(values);
const equal = (count: number) => {
  const shares = new Float64Array(count).fill(1 / count);
  return { shares, variances: shares.map((share) => share ** 2) };
};

describe("residual moments", () => {
  const spread = { shares: f([0.4, 0.25, 0.2, 0.1, 0.05]), variances: f([0.3, 0.1, 0.25, 0.05, 0.02]) };
  it("agree with the traces of explicit 5 × 5 matrices in NumPy 2.4.6", () => {
    const plain = residualMoments(spread, () => 1);
    [0.1752, 0.095, 0.1788, 0.0472, 0.0198].forEach((value, g) => expect(plain.expected[g]).toBeCloseTo(value, 14));
    expect(plain.df).toBeCloseTo(2.525764589815588, 12);
    const deleted = residualMoments(spread, (share) => 1 / (1 - share));
    [0.48666666666666675, 0.1688888888888889, 0.279375, 0.05827160493827162, 0.021939058171745147].forEach((value, g) =>
      expect(deleted.expected[g]).toBeCloseTo(value, 14),
    );
    expect(deleted.df).toBeCloseTo(2.1733360999755367, 12);
    expect(deleted.variance).toBeCloseTo(0.72, 14);
  });
  it("of equal units have one degree of freedom less than units", () => {
    for (const count of [2, 5, 300]) expect(residualMoments(equal(count), () => 1).df).toBeCloseTo(count - 1, 8);
  });
  it("of one unit with all the weight are none", () => {
    const one = { shares: f([1, 0]), variances: f([1, 0]) };
    expect(robustMoments(f([0.1, 0]), one).variance).toBeNaN();
    expect(weightedMoments(f([0.1, 0]), one).variance).toBeNaN();
  });
});

describe("variances over uneven units", () => {
  it("of equal clusters are SciPy's t interval of the cluster means", () => {
    const means = [0.12, 0.4, -0.1, 0.1, 0.2];
    const mean = means.reduce((sum, value) => sum + value / 5, 0);
    const deviations = f(means.map((value) => (mean * 5 - value) / 4 - mean));
    const { variance, df } = clusterMoments(deviations, equal(5), equal(5));
    const half = studentQuantile(0.95, df) * Math.sqrt(variance);
    // scipy.stats.t.interval(0.9, 4, mean, sd/√5), SciPy 1.17.1
    expect(mean - half).toBeCloseTo(-0.02835028699815559, 10);
    expect(mean + half).toBeCloseTo(0.3163502869981555, 10);
  });
  it("are each unbiased under the working model: five unequal clusters", () => {
    const shares = f([0.4, 0.25, 0.2, 0.1, 0.05]);
    const spread = { shares, variances: shares.map((share) => share ** 2) };
    // The estimates are linear in d², so that what they make of its expectation is their own.
    const { expected, variance } = residualMoments(spread, (share) => 1 / (1 - share));
    const roots = expected.map(Math.sqrt);
    expect(robustMoments(roots, spread).variance).toBeCloseTo(variance, 12);
    expect(pooledMoments(roots, spread).variance).toBeCloseTo(variance, 12);
  });
  it("see variance where the heavy unit happens to agree", () => {
    const shares = f([0.9, ...Array.from({ length: 100 }, () => 0.001)]);
    const spread = { shares, variances: shares.map((share) => share ** 2) };
    const deviations = shares.map((share, g) => (g === 0 ? 0 : (g % 2 === 0 ? 1 : -1) * share));
    expect(pooledMoments(deviations, spread).variance).toBeGreaterThan(
      100 * robustMoments(deviations, spread).variance,
    );
    expect(weightedMoments(deviations, spread).variance).toBe(pooledMoments(deviations, spread).variance);
  });
  it("are 0 where nothing varies, and count no unit without weight", () => {
    expect(clusterMoments(new Float64Array(5), equal(5), equal(5)).variance).toBe(0);
    const spread = { shares: f([0.5, 0.5, 0]), variances: f([0.25, 0.25, 0]) };
    expect(pooledMoments(f([1, -1, 0]), spread).df).toBe(1);
  });
});

describe("effective units", () => {
  it("are Kish's: equal ones count whole, one with all the weight counts alone", () => {
    expect(effectiveUnits(equal(40).shares)).toBeCloseTo(40, 10);
    expect(effectiveUnits(f([1, 0, 0]))).toBe(1);
    expect(effectiveUnits(f([0.5, 0.25, 0.25]))).toBeCloseTo(1 / 0.375, 12);
  });
});

describe("degrees of freedom that the fourth moments leave", () => {
  it("are NumPy's 2 / (Σd⁴ / (Σd²)² - 1/n)", () => {
    expect(effectiveDegrees(f([0.3, -0.1, -0.2, 0.5, -0.1, -0.4, 0, 0, 0, 0.02]))).toBeCloseTo(9, 12);
    const few = f([3, -1, 0.5, 0, 0, 0, 0, 0, 0, 0]);
    // d² = 9, 1, .25; (10.25)² / (81 + 1 + .0625) = 1.28026…; 2 / (1/1.28026… - 1/10)
    expect(effectiveDegrees(few)).toBeCloseTo(2 / (82.0625 / 105.0625 - 0.1), 12);
    expect(
      effectiveDegrees(
        few.map((d) => d + 7),
        7,
      ),
    ).toBeCloseTo(effectiveDegrees(few), 12);
  });
  it("of normal numbers are about as many as the numbers, never more than n - 1, and n - 1 without variation", () => {
    const many = normals(new RandomStream(5, 0), 4000);
    expect(effectiveDegrees(many) / 4000).toBeGreaterThan(0.9);
    expect(effectiveDegrees(f([1, -1, 1, -1]))).toBe(3);
    expect(degreesOf(0, 0, 7)).toBe(6);
  });
  it("hold t to 5 % where few rows differ: rare gains and losses, by enumeration", () => {
    const wrongOf = (expected: number, quantile: (df: number) => number): number => {
      const poisson = (k: number): number => {
        let p = Math.exp(-expected);
        for (let i = 1; i <= k; i++) p *= expected / i;
        return p;
      };
      let wrong = 0;
      for (let gains = 0; gains < 60; gains++)
        for (let losses = 0; losses < 60; losses++) {
          const rows = gains + losses;
          if (rows > 0 && (gains - losses) / Math.sqrt(rows) > quantile(degreesOf(rows, rows, 1e9)))
            wrong += poisson(gains) * poisson(losses);
        }
      return wrong;
    };
    for (const expected of [3, 5, 8, 15])
      expect(wrongOf(expected, (df) => studentQuantile(0.95, df))).toBeLessThan(0.05);
    expect(wrongOf(5, () => 1.6448536269514722)).toBeGreaterThan(0.05);
  });
});

describe("expanded percentiles", () => {
  it("are Hesterberg's Φ(√(n/(n-1)) t) for equal units", () => {
    const { shares, variances } = equal(8);
    const t = studentQuantile(0.95, 7) * Math.sqrt(8 / 7);
    expect(expandedLevel({ shares, independent: variances, identical: variances }, 0.9)).toBeCloseTo(
      2 * normalCdf(t) - 1,
      10,
    );
  });
});

describe("Hall's transformation", () => {
  it("has the quantiles that SciPy's brentq finds", () => {
    expect(hallQuantile(-1.7, 0.05)).toBeCloseTo(-2.197546246460577, 10);
    expect(hallQuantile(1.7, 0.05)).toBeCloseTo(1.4344092198900429, 10);
    expect(hallQuantile(-2.1, 0.12)).toBeCloseTo(-7.677842833216926, 9);
    expect(hallQuantile(-1.7, 0)).toBe(-1.7);
  });
  it("lengthens the long side alone, never shortens, and stops where asked", () => {
    const ends = { low: -1, high: 1 };
    const one = { estimate: 0, standardError: 1, df: 50, skew: 0.05 };
    const right = lengthenForSkew(ends, one, 0.9);
    expect(right.low).toBeCloseTo(-studentQuantile(0.95, 50), 12);
    expect(right.high).toBeGreaterThan(2.1);
    const left = lengthenForSkew(ends, { ...one, skew: -0.05 }, 0.9);
    expect(left.low).toBeCloseTo(-right.high, 12);
    expect(lengthenForSkew(ends, one, 0.9, 1.1).high).toBeCloseTo(1.1 * studentQuantile(0.95, 50), 12);
    expect(lengthenForSkew({ low: -9, high: 9 }, one, 0.9)).toEqual({ low: -9, high: 9 });
  });
  it("is for skewness that is more than noise", () => {
    expect(isSkewed(0.009, 0)).toBe(false);
    expect(isSkewed(0.05, 0.02)).toBe(true);
    expect(isSkewed(-0.05, 0.1)).toBe(false);
  });
});

describe("pooled acceleration", () => {
  it("is the ordinary one for equal units, and ignores units without weight", () => {
    const values = [0.3, -0.1, -0.2, 0.5, -0.1, -0.4];
    const { variances } = equal(6);
    const { skew, noise } = pooledAcceleration(f(values), variances);
    expect(skew).toBeCloseTo(acceleration(f(values)), 12);
    expect(noise).toBeCloseTo(Math.sqrt(6 / 6) / 6 / Math.sqrt(6), 12);
    expect(pooledAcceleration(f([...values, 5]), f([...variances, 0])).skew).toBeCloseTo(skew, 12);
    expect(pooledAcceleration(new Float64Array(6), variances).skew).toBe(0);
  });
});
