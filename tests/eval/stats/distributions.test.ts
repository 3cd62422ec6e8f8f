import { describe, expect, it } from "vitest";
import { incompleteBeta, logGamma } from "../../../eval/stats/beta.ts";
import { erfc, normalCdf, normalQuantile } from "../../../eval/stats/normal.ts";
import { findRoot } from "../../../eval/stats/rootfind.ts";
import { studentCdf, studentQuantile } from "../../../eval/stats/student.ts";
import { difference, python, r, relativeDifference } from "./reference.ts";

const { distributions } = python;
const worst = (errors: number[]): number => Math.max(...errors);

describe("the normal distribution", () => {
  it("agrees with SciPy's quantiles to 1e-14, tails included", () => {
    expect(
      worst(distributions.normal_quantile.map(([p, z]) => difference(normalQuantile(p as number), z as number))),
    ).toBeLessThan(1e-14);
  });
  it("agrees with SciPy's probabilities to 1e-12 relative, down to 1e-316", () => {
    expect(
      worst(
        distributions.normal_cdf
          .map(([z, p]) => relativeDifference(normalCdf(z as number), p as number))
          .filter((_, i) => i > 0),
      ),
    ).toBeLessThan(1e-12);
  });
  it("has quantiles and probabilities that invert each other", () => {
    const z = Array.from({ length: 35 }, (_, i) => -8 + i * 0.37);
    expect(worst(z.map((one) => difference(normalQuantile(normalCdf(one)), one)))).toBeLessThan(1e-10);
  });
  it("is infinite at 0 and 1, and NaN beyond", () => {
    expect([
      normalQuantile(0),
      normalQuantile(1),
      normalQuantile(-0.1),
      normalQuantile(1.1),
      normalQuantile(Number.NaN),
    ]).toEqual([-Infinity, Infinity, Number.NaN, Number.NaN, Number.NaN]);
    expect([normalCdf(-Infinity), normalCdf(Infinity), erfc(30), erfc(-30)]).toEqual([0, 1, 0, 2]);
  });
});

describe("Student's t and the incomplete beta function", () => {
  it("agree with R's probabilities to 1e-11 relative, the beta function to 1e-8 where a parameter is a million", () => {
    expect(
      worst(r.student.cdf.map(([t, df, p]) => relativeDifference(studentCdf(t as number, df as number), p as number))),
    ).toBeLessThan(1e-11);
    expect(
      worst(
        r.student.beta.map(([a, b, x, value]) =>
          relativeDifference(incompleteBeta(a as number, b as number, x as number), value as number),
        ),
      ),
    ).toBeLessThan(1e-8);
    expect(
      worst(distributions.log_gamma.map(([x, value]) => difference(logGamma(x as number), value as number))),
    ).toBeLessThan(1e-13);
  });
  it("agree with R's quantiles to 2e-12 relative", () => {
    expect(
      worst(
        r.student.quantile.map(([p, df, t]) =>
          relativeDifference(studentQuantile(p as number, df as number), t as number),
        ),
      ),
    ).toBeLessThan(2e-12);
  });
  it("become normal with many degrees of freedom and return NaN for invalid input", () => {
    expect(studentQuantile(0.95, Infinity)).toBe(normalQuantile(0.95));
    expect(studentQuantile(0.95, 1e9)).toBeCloseTo(normalQuantile(0.95), 7);
    for (const [p, df] of [
      [0, 5],
      [1, 5],
      [0.5, 0],
      [Number.NaN, 3],
      [0.5, Number.NaN],
    ] as const)
      expect(studentQuantile(p, df)).toBeNaN();
    for (const [a, b, x] of [
      [0, 1, 0.5],
      [1, -1, 0.5],
      [1, 1, 1.5],
    ] as const)
      expect(incompleteBeta(a, b, x)).toBeNaN();
  });
});

describe("findRoot", () => {
  it("finds roots to the last digits and refuses a bracket without a change of sign", () => {
    expect(findRoot((x) => x ** 3 - 2, 0, 2)).toBeCloseTo(Math.cbrt(2), 14);
    expect(findRoot((x) => Math.exp(x) - 1e-8, -50, 3)).toBeCloseTo(Math.log(1e-8), 11);
    expect(findRoot((x) => x, 0, 3)).toBe(0);
    expect(findRoot((x) => x * x + 1, -1, 1)).toBeNaN();
  });
});
