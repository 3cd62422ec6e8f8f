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
 */
export function tango({ both, first, second, neither }: PairedCounts, level: number): Ends {
  const n = both + first + second + neither;
  const z = normalQuantile(0.5 + level / 2);
  const difference = (first - second) / n;
  const score = (delta: number): number => {
    // Maximum likelihood for the second discordant probability q, given the difference delta.
    const b = -first - second + (2 * n - first + second) * delta;
    const c = -second * delta * (1 - delta);
    const q = (Math.sqrt(Math.max(0, b * b - 8 * n * c)) - b) / (4 * n);
    const variance = n * (2 * q + delta * (1 - delta));
    return variance > 0
      ? (first - second - n * delta) / Math.sqrt(variance)
      : Math.sign(first - second - n * delta) * Number.MAX_VALUE;
  };
  const end = (limit: number, target: number): number => {
    const edge = limit * (1 - 1e-12);
    if (Math.abs(difference) === 1 && Math.sign(difference) === limit) return limit;
    if (Math.abs(score(edge)) < z) return limit;
    return findRoot((delta) => score(delta) - target, edge, difference, 1e-15);
  };
  return { low: end(-1, z), high: end(1, -z) };
}
