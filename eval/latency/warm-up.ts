import { quantile } from "../stats/quantile.ts";

const STRETCH_MS = 25;
const AGREEING = 5;
const TOLERANCE = 0.02;

/** Wall time is at most this many times the requested processor time, however busy the machine is. */
const MAX_WALL_TIME_FACTOR = 5;

/**
 * Calls until the speed is stable: until the medians of five stretches in a row lie within 2 %, or until `limitMs` of
 * processor time are used. It counts processor time because a process that shares its core with three others compiles
 * as slowly as it runs: after 300 ms by the clock such a process was still 13 % slower than a second later, and each by
 * another amount. A busy machine may never be stable. Then the limit is all that was affordable, and the later
 * comparison is paired anyway.
 *
 * @param now wall clock, ms
 * @param used processor time of this thread, ms
 * @returns the median of the last stretch, ms per call
 */
export async function warmUp(
  call: () => Promise<void>,
  limitMs: number,
  now: () => number,
  used: () => number,
): Promise<number> {
  const [begin, usedBefore] = [now(), used()];
  const over = () => used() - usedBefore >= limitMs || now() - begin >= MAX_WALL_TIME_FACTOR * limitMs;
  const medians: number[] = [];
  for (;;) {
    const durations: number[] = [];
    const start = now();
    let last = start;
    do {
      await call();
      const at = now();
      durations.push(at - last);
      last = at;
    } while (last - start < STRETCH_MS && last - begin < MAX_WALL_TIME_FACTOR * limitMs);
    medians.push(quantile(durations, 0.5));
    if (over() || stable(medians)) return medians.at(-1) as number;
  }
}

export function stable(medians: readonly number[]): boolean {
  const recent = medians.slice(-AGREEING);
  return recent.length === AGREEING && Math.max(...recent) <= (1 + TOLERANCE) * Math.min(...recent);
}
