import type { Check } from "../../schema/verdict.ts";

/**
 * A relative check on an axis that all of them share: the unit is its own margin, positive is better, 0 is the
 * baseline. `bounds` are where the interval must stay beyond (-1 for non-inferiority, +1 for superiority, both for
 * equivalence). A margin of 0 leaves no unit; the interval's half-width stands in.
 */
export type ForestRow = { point: number; low: number; high: number; bounds: number[] };

/** Null where there is nothing to draw: a limit, no baseline, no difference. */
export function forestRow(check: Check): ForestRow | null {
  if (check.kind === "limit" || check.difference === null || check.margin === null) return null;
  const { low, high } = check.interval ?? { low: check.difference, high: check.difference };
  const unit = check.margin || (high - low) / 2 || Math.abs(check.difference) || 1;
  const better = check.direction === "higher" ? 1 : -1;
  const ends = [(better * low) / unit, (better * high) / unit];
  const margin = check.margin / unit;
  return {
    point: (better * check.difference) / unit,
    low: Math.min(...ends),
    high: Math.max(...ends),
    bounds: check.kind === "non-inferiority" ? [-margin] : check.kind === "superiority" ? [margin] : [-margin, margin],
  };
}
