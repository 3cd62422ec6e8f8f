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

const heights = "▁▂▃▄▅▆▇█";

/** Values as bars, lowest to highest; a gap for what is not a number; all the same height where nothing differs. */
export function sparkline(values: readonly number[]): string {
  const known = values.filter((value) => Number.isFinite(value));
  const low = Math.min(...known);
  const high = Math.max(...known);
  return values
    .map((value) =>
      Number.isFinite(value)
        ? (heights[high === low ? 3 : Math.round(((value - low) / (high - low)) * 7)] as string)
        : " ",
    )
    .join("");
}
