import { stirlingRest } from "./beta.ts";

/** Both tails of the regularized incomplete gamma function; they add up to 1, and each keeps its relative accuracy. */
export type GammaTails = { lower: number; upper: number };

/** x^a e^-x / Γ(a + 1), without cancellation between large logarithms. a > 0, x > 0. */
export function gammaTerm(a: number, x: number): number {
  const gap = (x - a) / a;
  const logarithm = Math.abs(gap) < 0.5 ? Math.log1p(gap) : Math.log(x / a);
  return Math.exp(a * (logarithm - gap) - stirlingRest(a)) / Math.sqrt(2 * Math.PI * a);
}

/**
 * Regularized incomplete gamma functions P(a, x) and Q(a, x) = 1 - P(a, x), a > 0 and x ≥ 0; NaN outside. The series
 * below a + 1, Lentz's continued fraction above (Numerical Recipes, 3rd ed., 6.2). Both need O(√a) terms near x = a.
 */
export function incompleteGamma(a: number, x: number): GammaTails {
  if (!(a > 0 && x >= 0)) return { lower: Number.NaN, upper: Number.NaN };
  if (x === 0) return { lower: 0, upper: 1 };
  if (x === Number.POSITIVE_INFINITY) return { lower: 1, upper: 0 };
  const term = gammaTerm(a, x);
  if (x < a + 1) {
    let sum = 1;
    let next = 1;
    for (let k = 1; next > sum * 1e-17; k++) {
      next *= x / (a + k);
      sum += next;
    }
    const lower = Math.min(1, term * sum);
    return { lower, upper: 1 - lower };
  }
  const upper = Math.min(1, term * a * fraction(a, x));
  return { lower: 1 - upper, upper };
}

function fraction(a: number, x: number): number {
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let value = d;
  for (let i = 1; i < 10_000_000; i++) {
    const factor = -i * (i - a);
    b += 2;
    d = factor * d + b;
    if (Math.abs(d) < tiny) d = tiny;
    c = b + factor / c;
    if (Math.abs(c) < tiny) c = tiny;
    d = 1 / d;
    value *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return value;
}
