import { MIN_CELL_ROWS } from "./schema.ts";

/** Cells of a profile's numbers, unless duplicates and small cells are merged. */
const CELLS = 10;
/** A variable with at most so many values has a cell for each. */
const FEW_VALUES = 12;
const MAX_CATEGORIES = 64;

/** The cell of a value among `edges`: how many of them it reaches. */
export function cellOf(value: number, edges: ArrayLike<number>): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value >= edges[middle]!) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Numbers → the reference's deciles (or, of few values, the values themselves), duplicates merged, the outer cells open.
 * No cell has fewer than `MIN_CELL_ROWS` values: an edge beside a smaller one is removed.
 *
 * @param values finite numbers and NaN for a missing one
 */
export function numberCells(values: ArrayLike<number>): {
  edges: number[];
  counts: number[];
  missing: number;
  range: { low: number; high: number } | null;
  outside: number;
} {
  const sorted = Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort();
  const n = sorted.length;
  const distinct = firstDistinct(sorted, FEW_VALUES + 1);
  const candidates =
    distinct.length <= FEW_VALUES
      ? distinct
      : Array.from({ length: CELLS - 1 }, (_, i) => sorted[Math.floor(((i + 1) * n) / CELLS)]!);
  const edges = [...new Set(candidates)].filter((edge) => edge > sorted[0]!);
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const value of sorted) counts[cellOf(value, edges)]!++;
  mergeSmall(edges, counts);
  const range = n >= MIN_CELL_ROWS ** 2 ? { low: sorted[MIN_CELL_ROWS - 1]!, high: sorted[n - MIN_CELL_ROWS]! } : null;
  const outside =
    range === null ? 0 : sorted.reduce((sum, value) => sum + Number(value < range.low || value > range.high), 0);
  return { edges, counts, missing: values.length - n, range, outside };
}

function firstDistinct(sorted: Float64Array, most: number): number[] {
  const found: number[] = [];
  for (const value of sorted) {
    if (value !== found.at(-1)) found.push(value);
    if (found.length === most) break;
  }
  return found;
}

/** Removes edges until no cell is too small, or one cell is left. */
function mergeSmall(edges: number[], counts: number[]): void {
  while (edges.length > 0) {
    const least = Math.min(...counts);
    if (least >= MIN_CELL_ROWS) return;
    const cell = counts.indexOf(least);
    const left = cell > 0 ? counts[cell - 1]! : Infinity;
    const right = counts[cell + 1] ?? Infinity;
    const edge = left <= right ? cell - 1 : cell;
    edges.splice(edge, 1);
    counts.splice(edge, 2, counts[edge]! + counts[edge + 1]!);
  }
}

/**
 * Values → the categories with at least `MIN_CELL_ROWS` rows, most frequent first where they are not `declared`, and how
 * many rows have another one.
 *
 * @param declared the order to keep; null: by frequency
 */
export function categoryCells(
  values: readonly string[],
  declared: readonly string[] | null,
): { categories: string[]; counts: number[]; other: number } {
  const found = new Map<string, number>();
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
  const names = declared ?? [...found.keys()].toSorted((a, b) => found.get(b)! - found.get(a)! || (a < b ? -1 : 1));
  const categories = names.filter((name) => (found.get(name) ?? 0) >= MIN_CELL_ROWS).slice(0, MAX_CATEGORIES);
  const counts = categories.map((name) => found.get(name)!);
  return { categories, counts, other: values.length - counts.reduce((sum, one) => sum + one, 0) };
}
