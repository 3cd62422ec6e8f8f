import { wilson } from "../../eval/stats/wilson.ts";
import type { DriftEstimate } from "./distributions.ts";

/** Rows of which some are counted: missing, out of range, unseen, cut. */
export type Rate = { counted: number; rows: number };

/**
 * Change of a rate, live - reference, with Newcombe's hybrid score interval for independent proportions (Stat. Med. 17,
 * 1998, 873-890, method 10), in [-1, 1]. It is never of width 0. A design effect divides its side's rows. `pValue` is
 * NaN: the interval decides.
 */
export function rateChange(
  reference: Rate,
  live: Rate,
  level: number,
  effects: { reference?: number; live?: number } = {},
): DriftEstimate {
  const n = reference.rows;
  const m = live.rows;
  if (!(n > 0 && m > 0)) return { value: Number.NaN, interval: null, pValue: Number.NaN, n, m };
  const p = reference.counted / n;
  const q = live.counted / m;
  const before = ends(reference, effects.reference ?? 1, level);
  const after = ends(live, effects.live ?? 1, level);
  return {
    value: q - p,
    interval: {
      low: q - p - Math.hypot(q - after.low, before.high - p),
      high: q - p + Math.hypot(after.high - q, p - before.low),
      level,
      method: "Newcombe hybrid score",
    },
    pValue: Number.NaN,
    n,
    m,
  };
}

function ends({ counted, rows }: Rate, effect: number, level: number): { low: number; high: number } {
  return wilson(counted / effect, rows / effect, level);
}
