import { incompleteBeta } from "./beta.ts";
import { normalQuantile } from "./normal.ts";
import { findRoot } from "./rootfind.ts";

/** P(T ≤ t) for Student's t with `df` > 0 degrees of freedom, not necessarily whole. */
export function studentCdf(t: number, df: number): number {
  if (t === 0) return 0.5;
  const tail =
    t * t < Math.min(df, 1)
      ? 0.5 - 0.5 * incompleteBeta(0.5, df / 2, (t * t) / (df + t * t))
      : 0.5 * incompleteBeta(df / 2, 0.5, df / (df + t * t));
  return t > 0 ? 1 - tail : tail;
}

/**
 * Above this, the expansion in 1/df (Abramowitz and Stegun 26.7.5) is exact to double precision, and I_x(df/2, ½) no
 * longer is.
 */
const manyDegrees = 1e5;

/**
 * t with P(T ≤ t) = p, p in (0, 1), df > 0 or Infinity; NaN otherwise. The search runs over the smaller tail, so that
 * far quantiles keep their relative accuracy.
 */
export function studentQuantile(p: number, df: number): number {
  if (!(p > 0 && p < 1) || !(df > 0)) return Number.NaN;
  if (df > manyDegrees) return expanded(normalQuantile(p), df);
  if (p === 0.5) return 0;
  const tail = Math.min(p, 1 - p);
  const z = -normalQuantile(tail);
  let high = Math.max(2 * z, 1);
  while (studentCdf(-high, df) > tail && high < 1e300) high *= 2;
  const t = findRoot((x) => Math.log(studentCdf(-x, df)) - Math.log(tail), 0, high, 1e-15);
  return p < 0.5 ? -t : t;
}

function expanded(z: number, df: number): number {
  const z2 = z * z;
  const first = (z * (z2 + 1)) / 4;
  const second = (z * ((5 * z2 + 16) * z2 + 3)) / 96;
  const third = (z * (((3 * z2 + 19) * z2 + 17) * z2 - 15)) / 384;
  return z + (first + (second + third / df) / df) / df;
}
