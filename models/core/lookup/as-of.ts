import type { KeyEvents } from "./store.ts";

/** Index of the first event later than `timeMs`; `to` when there is none. */
function firstAfter({ times, from, to }: KeyEvents, timeMs: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! > timeMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Index of the first event at or after `timeMs`. */
function firstAt({ times, from, to }: KeyEvents, timeMs: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! >= timeMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The newest event that was there at `timeMs`, as Feast's point-in-time join defines it: the latest event time ≤ asked.
 * @returns its index, or -1
 */
export function asOf(events: KeyEvents, timeMs: number): number {
  const after = firstAfter(events, timeMs);
  return after === events.from ? -1 : after - 1;
}

export type Aggregate = "count" | "sum" | "mean";

/**
 * Over the events with asked - delay - over ≤ time < asked - delay, in float64, oldest first. The sum is made anew every
 * time, so that it does not depend on what else the store holds: a store with the last month only gives the bits that
 * one with all years gives. Values that are not there are left out; an empty window counts 0, sums to 0 and has no mean
 * (NaN).
 *
 * The end is open, so that an event which is being answered is never part of its own features.
 */
export function aggregateOf(
  events: KeyEvents | null,
  column: { at: number; width: number } | null,
  aggregate: Aggregate,
  window: { timeMs: number; overMs: number; delayMs: number },
): number {
  const end = window.timeMs - window.delayMs;
  let count = 0;
  let sum = 0;
  if (events !== null) {
    const to = firstAt(events, end);
    for (let i = firstAt(events, end - window.overMs); i < to; i++) {
      const value = column === null ? 0 : events.values[i * column.width + column.at]!;
      if (Number.isNaN(value)) continue;
      count++;
      sum += value;
    }
  }
  if (aggregate === "count") return count;
  return aggregate === "sum" ? sum : count === 0 ? NaN : sum / count;
}
