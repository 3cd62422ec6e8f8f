import type { ForestScale } from "../series/forest-scale.ts";
import type { ForestRow } from "../series/forest.ts";

const half = 8;

/**
 * One row of a forest plot in 17 monospaced characters, on the scale of its table. Worse is left, better is right; `┊` is
 * the baseline, `┃` the margin, `●` the difference, `━` its interval. `◂` and `▸` mark an interval that runs past the end
 * of the scale.
 */
export function intervalBar(row: ForestRow, scale: ForestScale): string {
  const place = (x: number) => half + Math.round(half * scale.place(x));
  const cells = Array.from({ length: 2 * half + 1 }, () => "·");
  cells[half] = "┊";
  for (let i = place(row.low); i <= place(row.high); i += 1) cells[i] = "━";
  for (const bound of row.bounds) cells[place(bound)] = "┃";
  cells[place(row.point)] = "●";
  if (row.low < -scale.end) cells[0] = "◂";
  if (row.high > scale.end) cells[2 * half] = "▸";
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
