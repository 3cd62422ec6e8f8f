/**
 * Counts in equal-width bins from `low` to `high`, the last one closed; values outside are not counted, nor are those
 * that `isCounted` leaves out.
 */
export function histogram(
  values: Float64Array,
  low: number,
  high: number,
  bins: number,
  isCounted: (row: number) => boolean = () => true,
): number[] {
  const counts = Array.from({ length: bins }, () => 0);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!(value >= low && value <= high) || !isCounted(i)) continue;
    const bin = Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}
