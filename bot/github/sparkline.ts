const bars = "▁▂▃▄▅▆▇█";

/**
 * Values as bars between their minimum and maximum. A value that is not a number leaves a gap. If all values are equal,
 * so are the bars.
 */
export function sparkline(values: readonly number[]): string {
  const known = values.filter((value) => Number.isFinite(value));
  const low = Math.min(...known);
  const high = Math.max(...known);
  return values
    .map((value) =>
      Number.isFinite(value)
        ? (bars[high === low ? 3 : Math.round(((value - low) / (high - low)) * 7)] as string)
        : " ",
    )
    .join("");
}
