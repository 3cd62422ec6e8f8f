import type { Interval } from "../schema/verdict.ts";
import { unseenProbability } from "../stats/rule-of-three.ts";

/**
 * Interval of a sample without variation. At most a share `unseenProbability` of rows may differ from all those seen.
 * Each is assumed to be at its worst: at the end of the range, or, for an unbounded metric, `largest` away. Null when
 * even that is 0.
 */
export function unvariedInterval(
  value: number,
  [lowest, highest]: readonly [number, number],
  trials: number,
  level: number,
  largest: number,
): Interval | null {
  const share = unseenProbability(trials, (1 - level) / 2);
  const low = Number.isFinite(lowest) ? lowest : value - largest;
  const high = Number.isFinite(highest) ? highest : value + largest;
  const ends = { low: value + share * (low - value), high: value + share * (high - value) };
  return ends.low < ends.high ? { ...ends, level, method: "no variation seen: rule of three" } : null;
}
