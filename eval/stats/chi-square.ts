import { gammaTerm, incompleteGamma, type GammaTails } from "./incomplete-gamma.ts";
import { normalCdf, normalQuantile } from "./normal.ts";
import { findRoot } from "./rootfind.ts";

/** P(X ≤ x) and P(X > x) of a χ² variable with df > 0 degrees of freedom; x ≥ 0. */
export function chiSquareTails(x: number, df: number): GammaTails {
  return incompleteGamma(df / 2, x / 2);
}

/** x with P(X ≤ x) = p, p in (0, 1); NaN otherwise. The search starts at Wilson and Hilferty's approximation (1931). */
export function chiSquareQuantile(p: number, df: number): number {
  if (!(p > 0 && p < 1 && df > 0)) return Number.NaN;
  const spread = 2 / (9 * df);
  let high = Math.max(df * Math.max(0, 1 - spread + normalQuantile(p) * Math.sqrt(spread)) ** 3, 1e-8) * 2;
  while (chiSquareTails(high, df).lower < p) high *= 2;
  const excess = (x: number): number =>
    p < 0.5 ? chiSquareTails(x, df).lower - p : 1 - p - chiSquareTails(x, df).upper;
  return findRoot(excess, 0, high, 1e-13);
}

/** Above this, Sankaran's normal approximation is as exact as the sum, and the sum takes long. */
const largeNoncentrality = 1e6;

/**
 * P(X ≤ x) and P(X > x) of a noncentral χ² variable with df > 0 degrees of freedom and noncentrality λ ≥ 0: the Poisson
 * mixture of central ones, summed outwards from its mode by recurrence (Benton and Krishnamoorthy, Comput. Stat. Data
 * Anal. 43, 2003). Beyond λ = 1e6 Sankaran's approximation (Biometrika 50, 1963).
 */
export function noncentralChiSquareTails(x: number, df: number, noncentrality: number): GammaTails {
  if (!(df > 0 && noncentrality >= 0 && x >= 0)) return { lower: Number.NaN, upper: Number.NaN };
  if (noncentrality === 0 || x === 0) return chiSquareTails(x, df);
  if (noncentrality > largeNoncentrality) return sankaran(x, df, noncentrality);
  const mean = noncentrality / 2;
  const half = x / 2;
  const mode = Math.floor(mean);
  const a = df / 2 + mode;
  const start = incompleteGamma(a, half);
  const startTerm = gammaTerm(a, half);
  const startWeight = mode === 0 ? Math.exp(-mean) : gammaTerm(mode, mean);
  let lower = 0;
  let upper = 0;
  let weight = startWeight;
  let at = start;
  let term = startTerm;
  for (let j = mode; weight > 1e-18 * startWeight || j < mode + 2; j++) {
    lower += weight * at.lower;
    upper += weight * at.upper;
    at = { lower: Math.max(0, at.lower - term), upper: Math.min(1, at.upper + term) };
    term *= half / (df / 2 + j + 1);
    weight *= mean / (j + 1);
  }
  weight = startWeight;
  at = start;
  term = startTerm;
  for (let j = mode; j > 0 && weight > 1e-18 * startWeight; j--) {
    term *= (df / 2 + j) / half;
    weight *= j / mean;
    at = { lower: Math.min(1, at.lower + term), upper: Math.max(0, at.upper - term) };
    lower += weight * at.lower;
    upper += weight * at.upper;
  }
  return { lower: Math.min(1, lower), upper: Math.min(1, upper) };
}

function sankaran(x: number, df: number, noncentrality: number): GammaTails {
  const sum = df + noncentrality;
  const twice = df + 2 * noncentrality;
  const h = 1 - ((2 / 3) * sum * (df + 3 * noncentrality)) / twice ** 2;
  const p = twice / sum ** 2;
  const m = (h - 1) * (1 - 3 * h);
  const mean = 1 + h * p * (h - 1 - 0.5 * (2 - h) * m * p);
  const sd = h * Math.sqrt(2 * p) * (1 + 0.5 * m * p);
  const z = ((x / sum) ** h - mean) / sd;
  return { lower: normalCdf(z), upper: normalCdf(-z) };
}

/**
 * Interval of the noncentrality λ from one observed χ² value with df degrees of freedom, two-sided at `level`, by
 * inverting both tails: P(X ≥ x; low) = P(X ≤ x; high) = (1 - level) / 2. An end that no λ > 0 reaches is 0; a value far
 * below df so has [0, 0].
 */
export function noncentralityInterval(x: number, df: number, level: number): { low: number; high: number } {
  if (!(x >= 0 && x < Number.POSITIVE_INFINITY && df > 0)) return { low: Number.NaN, high: Number.NaN };
  const tail = (1 - level) / 2;
  const end = (side: "lower" | "upper"): number => {
    const excess = (noncentrality: number): number =>
      (side === "lower" ? 1 : -1) * (tail - noncentralChiSquareTails(x, df, noncentrality)[side]);
    if (excess(0) >= 0) return 0;
    let high = Math.max(x, df);
    while (excess(high) < 0) high *= 2;
    return findRoot(excess, 0, high, 1e-10 * Math.max(1, x));
  };
  return { low: end("upper"), high: end("lower") };
}
