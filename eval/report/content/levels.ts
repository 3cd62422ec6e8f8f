import type { Interval } from "../../schema/verdict.ts";
import { percent } from "../text/format.ts";

/** The level of all these intervals, e.g. "90%"; null where there are none, or several. */
export function commonLevel(intervals: readonly (Interval | null)[]): string | null {
  const levels = new Set(intervals.flatMap((one) => (one === null ? [] : [percent(one.level)])));
  return levels.size === 1 ? ([...levels][0] ?? null) : null;
}

/** Heading of a column of intervals: "90% interval", or "interval" where each names its own level. */
export function intervalHeading(intervals: readonly (Interval | null)[]): string {
  const level = commonLevel(intervals);
  return level === null ? "interval" : `${level} interval`;
}
