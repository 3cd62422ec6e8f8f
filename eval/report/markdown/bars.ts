import type { ForestRow } from "../series/forest.ts";

const half = 8;
const perUnit = 4;

/**
 * One row of a forest plot in 17 monospaced characters. Worse is left, better is right; `┊` is the baseline, `┃` the
 * margin, `●` the difference, `━` its interval. `◂` and `▸` mark an interval that runs past the edge (two margins
 * either way).
 */
export function intervalBar(row: ForestRow): string {
  const place = (x: number) => half + Math.round(Math.min(half, Math.max(-half, x * perUnit)));
  const cells = Array.from({ length: 2 * half + 1 }, () => "·");
  cells[half] = "┊";
  for (let i = place(row.low); i <= place(row.high); i += 1) cells[i] = "━";
  for (const bound of row.bounds) cells[place(bound)] = "┃";
  cells[place(row.point)] = "●";
  if (row.low * perUnit < -half) cells[0] = "◂";
  if (row.high * perUnit > half) cells[2 * half] = "▸";
  return cells.join("");
}

/**
 * A bar of one of eight heights per value, between the smallest and the largest. All bars have the same height when the
 * values do not differ.
 */
export function sparkline(values: readonly number[]): string {
  const bars = "▁▂▃▄▅▆▇█";
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  return values.map((value) => bars[span === 0 ? 3 : Math.round(((value - low) / span) * 7)] ?? "").join("");
}
