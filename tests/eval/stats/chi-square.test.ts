import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chiSquareQuantile,
  chiSquareTails,
  noncentralChiSquareTails,
  noncentralityInterval,
} from "../../../eval/stats/chi-square.ts";
import { incompleteGamma } from "../../../eval/stats/incomplete-gamma.ts";
import { kolmogorovUpperTail } from "../../../eval/stats/kolmogorov.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { normalQuantile } from "../../../eval/stats/normal.ts";
import { relativeDifference } from "./reference.ts";

describe("χ²", () => {
  it.each([
    [0.5, 1, 0.5204998778130466, 0.47950012218695337],
    [3.84, 1, 0.9499564787512949, 0.05004352124870519],
    [10, 9, 0.6495147876766387, 0.3504852123233613],
    [100, 50, 0.9999654506861702, 3.454931382984871e-5],
    [10000, 9999, 0.5047016054613165, 0.4952983945386835],
    [60, 9, 0.999999998659322, 1.3406780483959625e-9],
    [0.001, 2, 0.0004998750208307296, 0.9995001249791693],
    [700, 9, 1, 6.916357838795454e-145],
  ])("at %d with %d degrees of freedom agrees with SciPy's chi2", (x, df, lower, upper) => {
    const tails = chiSquareTails(x, df);
    expect(relativeDifference(tails.lower, lower)).toBeLessThan(1e-11);
    expect(relativeDifference(tails.upper, upper)).toBeLessThan(1e-11);
  });

  it.each([
    [0.95, 9, 16.918977604620448],
    [0.5, 1, 0.454936423119572],
    [0.999, 49, 85.35056460859305],
  ])("quantile %d of %d degrees of freedom agrees with SciPy's ppf", (p, df, x) => {
    expect(chiSquareQuantile(p, df)).toBeCloseTo(x, 9);
  });

  it("is NaN outside its range, and 0 and 1 at the ends", () => {
    expect(chiSquareTails(-1, 3).lower).toBeNaN();
    expect(chiSquareTails(1, 0).lower).toBeNaN();
    expect(chiSquareTails(0, 3)).toEqual({ lower: 0, upper: 1 });
    expect(incompleteGamma(2, Number.POSITIVE_INFINITY)).toEqual({ lower: 1, upper: 0 });
    expect(chiSquareQuantile(1, 3)).toBeNaN();
  });
});

describe("noncentral χ²", () => {
  it.each([
    [10, 9, 5, 0.2834357137440845, 0.7165642862559157],
    [25, 9, 5, 0.9454218283141063, 0.05457817168589396],
    [3, 1, 20, 0.003071163194335791, 0.9969288368056642],
    [500, 9, 450, 0.8324211342525065, 0.1675788657474939],
    [50000, 9, 51000, 0.012454913628357649, 0.9875450863716516],
    [0.5, 4, 1, 0.016738171370706198, 0.9832618286292936],
    [2000000, 9, 1999000, 0.6371191026695354, 0.36288089733048123],
    [20000000, 9, 20000000, 0.49964317522135565, 0.5003568247786805],
  ])("at %d with %d degrees of freedom and λ = %d agrees with SciPy's ncx2", (x, df, noncentrality, lower, upper) => {
    const tails = noncentralChiSquareTails(x, df, noncentrality);
    expect(relativeDifference(tails.lower, lower)).toBeLessThan(1e-7);
    expect(relativeDifference(tails.upper, upper)).toBeLessThan(1e-7);
  });

  it("has tails that add up to 1 and fall with λ", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.double({ min: 0.01, max: 900, noNaN: true }), (df, x) => {
        let before = 1;
        for (const noncentrality of [0, 0.5, 3, 20, 400]) {
          const { lower, upper } = noncentralChiSquareTails(x, df, noncentrality);
          expect(lower + upper).toBeCloseTo(1, 9);
          expect(lower).toBeLessThanOrEqual(before + 1e-12);
          before = lower;
        }
      }),
    );
  });

  it("is inverted by the interval of λ, which covers it in about 90 of 100 seeded draws", () => {
    const random = new RandomStream(5);
    let missed = 0;
    for (let draw = 0; draw < 1000; draw++) {
      let x = 0;
      for (let i = 0; i < 9; i++) x += (normalQuantile(random.uniform()) + (i === 0 ? Math.sqrt(20) : 0)) ** 2;
      const { low, high } = noncentralityInterval(x, 9, 0.9);
      if (low > 20 || high < 20) missed++;
    }
    // 10 % and three standard errors.
    expect(missed / 1000).toBeLessThan(0.129);
    expect(missed / 1000).toBeGreaterThan(0.071);
  });

  it("has an interval from 0 when the value is what λ = 0 gives, and none from NaN", () => {
    expect(noncentralityInterval(0, 9, 0.9)).toEqual({ low: 0, high: 0 });
    expect(noncentralityInterval(9, 9, 0.9).low).toBe(0);
    expect(noncentralityInterval(Number.NaN, 9, 0.9).low).toBeNaN();
  });
});

describe("Kolmogorov's limit", () => {
  it.each([
    [0.3, 0.9999906941986655],
    [0.5, 0.9639452436648751],
    [0.83, 0.4961909953505036],
    [1, 0.26999967167735456],
    [1.36, 0.049485876755377876],
    [2.5, 7.453306344157342e-6],
  ])("beyond %d agrees with SciPy's kolmogorov", (t, upper) => {
    expect(relativeDifference(kolmogorovUpperTail(t), upper)).toBeLessThan(1e-12);
  });
  it("is 1 at 0 and NaN of NaN", () => {
    expect(kolmogorovUpperTail(0)).toBe(1);
    expect(kolmogorovUpperTail(0.01)).toBe(1);
    expect(kolmogorovUpperTail(Number.NaN)).toBeNaN();
  });
});
