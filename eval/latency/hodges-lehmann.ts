import { signedRankCdf } from "./signed-rank.ts";

export type Located = { estimate: number; low: number; high: number };

/**
 * Centre of values that scatter symmetrically, with an interval. On either side, the interval misses the centre with
 * probability at most `tail`.
 *
 * Estimate: the median of the n(n+1)/2 Walsh averages (Hodges and Lehmann, Ann. Math. Stat. 34, 1963). Interval: the
 * Walsh averages at the ranks where the exact signed-rank test would reject, as in R's
 * `wilcox.test(x, conf.int = TRUE, exact = TRUE)`. Nothing is assumed about the tails, which are heavy on a shared
 * machine.
 *
 * @param values at least one; in any unit, which the result shares
 * @param tail one-sided error, in (0, 0.5). When 2^-n exceeds it, no interval from n values can be that sure:
 *   ∓Infinity. A value that is not finite makes the estimate NaN and the interval unbounded, whatever the others are.
 */
export function hodgesLehmann(values: readonly number[], tail: number): Located {
  const n = values.length;
  const unbounded = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  if (n === 0 || !values.every(Number.isFinite)) return { estimate: Number.NaN, ...unbounded };
  const walsh = new Float64Array((n * (n + 1)) / 2);
  let k = 0;
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) walsh[k++] = ((values[i] as number) + (values[j] as number)) / 2;
  walsh.sort();
  const half = walsh.length >> 1;
  const estimate =
    walsh.length % 2 === 1 ? (walsh[half] as number) : ((walsh[half - 1] as number) + (walsh[half] as number)) / 2;
  const cdf = signedRankCdf(n);
  let cut = 0;
  while ((cdf[cut] as number) <= tail) cut++;
  if (cut === 0) return { estimate, ...unbounded };
  return { estimate, low: walsh[cut - 1] as number, high: walsh[walsh.length - cut] as number };
}
