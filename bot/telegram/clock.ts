import { setTimeout as wait } from "node:timers/promises";

/** The time, as a dependency: tests pass their own. */
export type Clock = {
  /** Milliseconds since 1970. */
  now: () => number;
  /** Resolves after `ms` milliseconds; rejects when the signal aborts. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
};

export const systemClock: Clock = {
  now: Date.now,
  sleep: async (ms, signal) => {
    await wait(ms, undefined, signal === undefined ? {} : { signal });
  },
};

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
