import type { ColumnTotals, KeyEvents } from "./store.ts";

export type Aggregate = "count" | "sum" | "mean";

/** What is wanted of a window. `column` null: only the events are counted. */
export type WindowAggregate = { column: number | null; aggregate: Aggregate; overMs: number; delayMs: number };

/**
 * Compiles aggregates over windows of a key's events: those with asked - delay - over ≤ time < asked - delay, in
 * float64, oldest first. A sum is made anew every time, so that it does not depend on what else the store holds: a store
 * with the last month only gives the bits that one with all years gives. Values that are not there are left out; an empty
 * window counts 0, sums to 0 and has no mean (NaN).
 *
 * The end is open, so that an event which is being answered is never part of its own features. Ends that several windows
 * share are searched for once, and so are sums.
 *
 * @param width columns of an event
 * @param totals those of a column of the store that the events come from, where there are any
 * @returns writes one number for each aggregate, in their order
 */
export function windowReader(
  aggregates: readonly WindowAggregate[],
  width: number,
  totals: (column: number) => ColumnTotals | null = () => null,
): (events: KeyEvents | null, timeMs: number, into: Float64Array) => void {
  const delays = distinct(aggregates.map(({ delayMs }) => delayMs));
  // From the shortest on: the beginning of a longer window is not after that of a shorter one with the same end.
  const windows = distinct(aggregates.map(({ delayMs, overMs }) => `${delayMs} ${overMs}`))
    .map((name) => name.split(" ").map(Number) as [delayMs: number, overMs: number])
    .toSorted(([delay, over], [otherDelay, otherOver]) => delay - otherDelay || over - otherOver)
    .map(([delayMs, overMs]) => ({ delay: delays.indexOf(delayMs), delayMs, overMs }));
  const windowOf = ({ delayMs, overMs }: WindowAggregate) =>
    windows.findIndex((one) => one.delayMs === delayMs && one.overMs === overMs);
  const folds = distinct(
    aggregates.flatMap((one) => (one.column === null ? [] : [`${windowOf(one)} ${one.column}`])),
  ).map((name) => {
    const [window, column] = name.split(" ").map(Number) as [number, number];
    return { window, column, totals: totals(column) };
  });
  const outputs = aggregates.map((one) => ({
    aggregate: one.aggregate,
    window: windowOf(one),
    fold: folds.findIndex(({ window, column }) => window === windowOf(one) && column === one.column),
  }));
  const ends = new Int32Array(delays.length);
  const starts = new Int32Array(windows.length);
  const sums = new Float64Array(folds.length);
  const counts = new Float64Array(folds.length);

  return (events, timeMs, into) => {
    if (events === null) {
      ends.fill(0);
      starts.fill(0);
    } else {
      for (let d = 0; d < delays.length; d++) ends[d] = firstAt(events, events.from, events.to, timeMs - delays[d]!);
      for (let w = 0; w < windows.length; w++) {
        const { delay, delayMs, overMs } = windows[w]!;
        const before = w > 0 && windows[w - 1]!.delay === delay ? starts[w - 1]! : ends[delay]!;
        starts[w] = firstAt(events, events.from, before, timeMs - delayMs - overMs);
      }
    }
    for (let f = 0; f < folds.length; f++) {
      const fold = folds[f]!;
      const from = starts[fold.window]!;
      const to = ends[windows[fold.window]!.delay]!;
      if (fold.totals !== null) {
        sums[f] = fold.totals.sums[to]! - fold.totals.sums[from]!;
        counts[f] = fold.totals.counts[to]! - fold.totals.counts[from]!;
        continue;
      }
      let sum = 0;
      let count = 0;
      if (events !== null) {
        const { values } = events;
        for (let i = from, at = from * width + fold.column; i < to; i++, at += width) {
          const value = values[at]!;
          // NaN is a value that is not there.
          if (value !== value) continue;
          count++;
          sum += value;
        }
      }
      sums[f] = sum;
      counts[f] = count;
    }
    for (let k = 0; k < outputs.length; k++) {
      const { aggregate, window, fold } = outputs[k]!;
      const count = fold === -1 ? ends[windows[window]!.delay]! - starts[window]! : counts[fold]!;
      into[k] =
        aggregate === "count" ? count : aggregate === "sum" ? sums[fold]! : count === 0 ? NaN : sums[fold]! / count;
    }
  };
}

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];

/**
 * Index of the first event of from ≤ i < to at or after a time; `to` when there is none. Searched for from the end, where
 * the events of a short window are: O(log of the distance).
 */
function firstAt({ times }: KeyEvents, from: number, to: number, timeMs: number): number {
  let high = to;
  let step = 1;
  while (high - step >= from && times[high - step]! >= timeMs) {
    high -= step;
    step *= 2;
  }
  let low = Math.max(from, high - step);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! >= timeMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * @param values of all events of a store, `width` for each
 * @returns null for a column that does not hold whole numbers only, or whose sums are not exact
 */
export function columnTotals(values: Float32Array, width: number, column: number): ColumnTotals | null {
  const events = values.length / width;
  for (let i = 0, at = column; i < events; i++, at += width)
    if (!Number.isInteger(values[at]!) && !Number.isNaN(values[at]!)) return null;
  const sums = new Float64Array(events + 1);
  const counts = new Uint32Array(events + 1);
  let size = 0;
  for (let i = 0, at = column; i < events; i++, at += width) {
    const value = values[at]!;
    const there = !Number.isNaN(value);
    sums[i + 1] = sums[i]! + (there ? value : 0);
    counts[i + 1] = counts[i]! + (there ? 1 : 0);
    size += there ? Math.abs(value) : 0;
  }
  return size <= Number.MAX_SAFE_INTEGER ? { sums, counts } : null;
}
