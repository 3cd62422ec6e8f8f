import { aggregateOf, asOf, type Aggregate } from "./as-of.ts";
import { durationMs } from "./duration.ts";
import type { LookupStep } from "./schema.ts";
import type { KeyEvents } from "./store.ts";

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

/** @returns the columns that the store lacks, in the place of a reader */
export function featureReader(
  { features, ttl }: Pick<LookupStep, "features" | "ttl">,
  columns: readonly string[],
): FeatureReader | { lacks: { feature: string; column: string }[] } {
  const ttlMs = ttl === undefined ? Infinity : durationMs(ttl);
  const width = columns.length;
  const lacks: { feature: string; column: string }[] = [];
  const readers = Object.entries(features).map(([feature, { column = feature, aggregate, over, delay }]) => {
    const place = columns.indexOf(column);
    if (place === -1 && !(aggregate === "count" && features[feature]!.column === undefined))
      lacks.push({ feature, column });
    return {
      column: place === -1 ? null : { at: place, width },
      aggregate: aggregate as Aggregate | undefined,
      overMs: over === undefined ? 0 : durationMs(over),
      delayMs: delay === undefined ? 0 : durationMs(delay),
    };
  });
  if (lacks.length > 0) return { lacks };
  return {
    width: readers.length,
    read(events, timeMs, into, at) {
      const newest = events === null ? -1 : asOf(events, timeMs);
      const eventMs = newest === -1 ? NaN : events!.times[newest]!;
      const stale = newest !== -1 && timeMs - eventMs > ttlMs;
      let missing: Missing | null = null;
      for (let i = 0; i < readers.length; i++) {
        const { column, aggregate, overMs, delayMs } = readers[i]!;
        let value = NaN;
        if (aggregate !== undefined)
          value = Math.fround(aggregateOf(events, column, aggregate, { timeMs, overMs, delayMs }));
        else if (newest !== -1 && !stale) value = events!.values[newest * width + column!.at]!;
        into[at + i] = value;
        if (Number.isNaN(value)) missing ??= newest === -1 ? "unknown" : stale ? "stale" : "null";
      }
      return { missing, eventMs };
    },
  };
}
