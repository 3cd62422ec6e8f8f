/**
 * The q-quantile of values in ascending order, interpolated linearly between order statistics
 * (type 7 of Hyndman and Fan, Am. Stat. 50, 1996; the default of R and NumPy). Empty input gives NaN.
 */
export function quantileOfSorted(sorted: ArrayLike<number>, q: number): number {
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN;
  return low + (high - low) * (position - below);
}

/** The same of values in any order; they are copied, not sorted in place. */
export function quantile(values: ArrayLike<number>, q: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), q);
}
