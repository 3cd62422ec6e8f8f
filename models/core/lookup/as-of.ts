import type { KeyEvents } from "./store.ts";

/** Index of the first event later than `timeMs`; `to` when there is none. */
function firstAfter({ times, from, to }: KeyEvents, timeMs: number): number {
  // Most questions are about now.
  if (from < to && times[to - 1]! <= timeMs) return to;
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! > timeMs) high = middle;
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
