import type { Clock } from "../../../bot/telegram/clock.ts";

/** A clock that never waits. Sleeping advances its time and is recorded in `slept`. */
export function quickClock(startMs = 1_800_000_000_000): Clock & { slept: number[] } {
  let now = startMs;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
      now += ms;
    },
  };
}
