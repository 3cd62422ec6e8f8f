import { asOf } from "./as-of.ts";
import { durationMs } from "./duration.ts";
import type { LookupStep } from "./schema.ts";
import type { ColumnTotals, KeyEvents } from "./store.ts";
import { windowReader } from "./windows.ts";

/** Why a feature has no value: the key is unknown, its newest event is too old, or has no value of this column. */
export type Missing = "unknown" | "stale" | "null";

/** The features of one step, for events of a store with these columns. */
export type FeatureReader = {
  width: number;
  /**
   * Writes the features as they were at `timeMs`; NaN for those that are missing. Every number is a float32. This one
   * function is the offline join and the online look-up.
   *
   * @returns why some are missing, and the time of the event that was read (NaN without one)
   */
  read(
    events: KeyEvents | null,
    timeMs: number,
    into: Float64Array,
    at: number,
  ): { missing: Missing | null; eventMs: number };
};

/**
 * @param totals of a column of the store that the events come from, where there are any
 * @returns the columns that the store lacks, in the place of a reader
 */
export function featureReader(
  { features, ttl }: Pick<LookupStep, "features" | "ttl">,
  columns: readonly string[],
  totals?: (column: number) => ColumnTotals | null,
): FeatureReader | { lacks: { feature: string; column: string }[] } {
  const ttlMs = ttl === undefined ? Infinity : durationMs(ttl);
  const width = columns.length;
  const lacks: { feature: string; column: string }[] = [];
  const readers = Object.entries(features).map(([feature, { column = feature, aggregate, over, delay }], at) => {
    const place = columns.indexOf(column);
    if (place === -1 && !(aggregate === "count" && features[feature]!.column === undefined))
      lacks.push({ feature, column });
    return {
      at,
      column: place === -1 ? null : place,
      aggregate,
      overMs: over === undefined ? 0 : durationMs(over),
      delayMs: delay === undefined ? 0 : durationMs(delay),
    };
  });
  if (lacks.length > 0) return { lacks };
  const windowed = readers.flatMap(({ aggregate, ...one }) => (aggregate === undefined ? [] : [{ ...one, aggregate }]));
  const newestOnes = readers.filter(({ aggregate }) => aggregate === undefined);
  const readWindows = windowReader(windowed, width, totals);
  const found = new Float64Array(windowed.length);
  return {
    width: readers.length,
    read(events, timeMs, into, at) {
      const newest = events === null ? -1 : asOf(events, timeMs);
      const eventMs = newest === -1 ? NaN : events!.times[newest]!;
      const stale = newest !== -1 && timeMs - eventMs > ttlMs;
      let lacking = false;
      for (let i = 0; i < newestOnes.length; i++) {
        const { column, at: place } = newestOnes[i]!;
        const value = newest === -1 || stale ? NaN : events!.values[newest * width + column!]!;
        into[at + place] = value;
        lacking ||= Number.isNaN(value);
      }
      if (windowed.length > 0) {
        readWindows(events, timeMs, found);
        for (let i = 0; i < windowed.length; i++) {
          const value = Math.fround(found[i]!);
          into[at + windowed[i]!.at] = value;
          lacking ||= Number.isNaN(value);
        }
      }
      return { missing: lacking ? (newest === -1 ? "unknown" : stale ? "stale" : "null") : null, eventMs };
    },
  };
}
