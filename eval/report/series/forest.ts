import type { Check } from "../../schema/verdict.ts";

/**
 * A relative check on an axis that all checks share: the unit is its own margin, positive is better, 0 is the baseline.
 * PASS needs the whole interval on the better side of `bounds` (-1 for non-inferiority, +1 for superiority; for
 * equivalence, between both). A margin of 0 cannot be a unit; the interval's half-width is used instead.
 */
export type ForestRow = { point: number; low: number; high: number; bounds: number[] };

/** Null when there is nothing to draw: a limit, no baseline, no difference. */
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
