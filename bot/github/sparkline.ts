const bars = "▁▂▃▄▅▆▇█";

/** Values as bars, lowest to highest; a gap for what is not a number; all the same height where nothing differs. */
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
