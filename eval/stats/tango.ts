import type { Ends } from "./bca.ts";
import { normalQuantile } from "./normal.ts";
import { findRoot } from "./rootfind.ts";

/** Paired yes/no outcomes of two models on the same rows. */
export type PairedCounts = {
  both: number;
  /** Yes from the first (candidate) only. */
  first: number;
  /** Yes from the second (baseline) only. */
  second: number;
  neither: number;
};

/**
 * Difference of two paired proportions, first - second, by inverting the score test (T. Tango, Stat. Med. 17, 1998,
 * 891-908). At a difference of 0 this is McNemar's test, at a margin it is Nam's non-inferiority test, so an end of the
 * interval clears a margin exactly when that test rejects. Never of width 0: with no discordant row it is ± z²/(n +
 * z²). In [-1, 1].
 *
 * Where few rows are discordant, the score is skewed and z too near on its long side: with 100 rows, 97 % against 94 %,
 * it rejects the true difference in 8.8 %. An end whose score is skewed by more than 0.09 moves outwards to z + 1.75 γ
 * (z² - 1) / 6, γ the skewness at that end (Cornish and Fisher's first term, as in Gart and Nam, Biometrics 46, 1990,
 * three quarters larger because the score is discrete). No end moves inwards.
 */
export function tango(counts: PairedCounts, level: number): Ends {
  return tangoAt(counts, normalQuantile(0.5 + level / 2));
}

/**
 * The same with a quantile z of one's own: t times the root of a design effect where rows are dependent or weigh
 * differently (as Rao and Scott, J. Am. Statist. Assoc. 76, 1981, correct a test of counts). Counts need not be whole.
 */
export function tangoAt({ both, first, second, neither }: PairedCounts, z: number): Ends {
  const n = both + first + second + neither;
  const difference = (first - second) / n;
  /** Variance n·σ² of first - second, and its skewness, at the likeliest discordant rates for this difference. */
  const moments = (delta: number): { variance: number; skewness: number } => {
    const b = -first - second + (2 * n - first + second) * delta;
    const c = -second * delta * (1 - delta);
    const q = (Math.sqrt(Math.max(0, b * b - 8 * n * c)) - b) / (4 * n);
    const discordant = 2 * q + delta;
    const variance = n * (discordant - delta * delta);
    const third = n * (delta - 3 * delta * discordant + 2 * delta ** 3);
    return { variance, skewness: variance > 0 ? third / variance ** 1.5 : 0 };
  };
  const score = (delta: number): number => {
    const { variance } = moments(delta);
    const gap = first - second - n * delta;
    return variance > 0 ? gap / Math.sqrt(variance) : Math.sign(gap) * Number.MAX_VALUE;
  };
  /** `side`: -1 for the low end, 1 for the high one. */
  const end = (side: -1 | 1): number => {
    if (difference === side) return side;
    const solve = (threshold: (delta: number) => number): number => {
      const edge = side * (1 - 1e-12);
      const excess = (delta: number): number => -side * score(delta) - threshold(delta);
      return excess(edge) < 0 ? side : findRoot(excess, edge, difference, 1e-15);
    };
    const found = solve(() => z);
    const longSide = (delta: number): number => -side * moments(delta).skewness;
    if (!(longSide(found) > visibleSkewness && z > 1)) return found;
    return solve((delta) => z + (skewFactor * Math.max(0, longSide(delta)) * (z * z - 1)) / 6);
  };
  return { low: end(-1), high: end(1) };
}

const visibleSkewness = 0.09;
const skewFactor = 1.75;
