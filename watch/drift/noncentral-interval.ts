import { noncentralityInterval } from "../../eval/stats/chi-square.ts";

/** With fewer rows a bin than this on a side, χ² is too coarse to say that two distributions are near. */
const leastRowsPerBin = 5;

/**
 * Interval of the noncentrality of a χ² value from two lists of counts. Where a side has fewer than five rows a bin, the
 * high end takes the value as at least its mean without drift: ten rows that happen to fall evenly show nothing.
 *
 * @param effectiveRows of each side, after its design effect
 */
export function driftNoncentrality(
  value: number,
  bins: number,
  effectiveRows: readonly [number, number],
  level: number,
): { low: number; high: number } {
  const df = bins - 1;
  const interval = noncentralityInterval(value, df, level);
  const few = Math.min(...effectiveRows) < leastRowsPerBin * bins;
  return few && value < df ? { low: interval.low, high: noncentralityInterval(df, df, level).high } : interval;
}
