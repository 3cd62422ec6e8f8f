import type { ForestRow } from "./forest.ts";

/** Up to this many margins an axis is linear. */
const linearTo = 3;
/** Differences of more margins than this are drawn at the end of the axis. */
const furthest = 1_000;
const marks = [1, 3, 10, 30, 100, 300, 1_000];

/** One axis for all rows of a forest: margins → a place from -1 to 1, with 0 in the middle. */
export type ForestScale = { place: (margins: number) => number; ticks: number[]; end: number; linear: boolean };

/**
 * The axis on which every row can be seen whole. With a difference of many margins a linear axis would press all other
 * rows into a dot, so beyond three margins it is asinh: linear around 0, logarithmic further out.
 */
export function forestScale(rows: readonly ForestRow[]): ForestScale {
  const largest = rows.reduce(
    (most, row) => [row.low, row.high, row.point, ...row.bounds].reduce((a, b) => Math.max(a, Math.abs(b)), most),
    2,
  );
  const reach = Math.min(furthest, Number.isFinite(largest) ? largest : furthest);
  const linear = reach <= linearTo;
  const end = linear ? Math.ceil(reach - 1e-9) : reach;
  const bend = linear ? (x: number) => x : Math.asinh;
  const positive = linear ? Array.from({ length: end }, (_, i) => i + 1) : marks.filter((mark) => mark <= end);
  return {
    place: (margins) => Math.min(1, Math.max(-1, bend(margins) / bend(end))),
    ticks: [...positive.toReversed().map((mark) => -mark), 0, ...positive],
    end,
    linear,
  };
}
