import type { Interval } from "../schema/verdict.ts";
import { normalQuantile } from "../stats/normal.ts";

/**
 * How many standard errors an interval extends to either side: z at 0.5 + level/2, which is z at 1 - alpha for a
 * one-sided decision.
 */
export function zOf(level: number): number {
  return normalQuantile(0.5 + level / 2);
}

/**
 * Half the interval's width over `zOf` its level. This is exact for a normal interval and the normal approximation of
 * any other. 0 for [x, x].
 */
export function standardErrorOf({ low, high, level }: Interval): number {
  return (high - low) / 2 / zOf(level);
}
