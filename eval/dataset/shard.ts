import { ConfigurationError } from "../../models/core/errors.ts";

/** One of `count` parts; `index` counts from 0. */
export type Shard = { index: number; count: number };

/**
 * Row range [from, to) of a shard. Shards are contiguous and in order, and their sizes differ by at most one. Some are
 * empty when there are more shards than rows.
 * @throws ConfigurationError `shard-range` unless 0 ≤ index < count
 */
export function shardRange(rows: number, { index, count }: Shard): { from: number; to: number } {
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(index) || count < 1 || index < 0 || index >= count) {
    throw new ConfigurationError({
      code: "shard-range",
      problem: "no such shard",
      expected: "INDEX/COUNT with 0 ≤ INDEX < COUNT",
      received: `${index}/${count}`,
      example: "0/4",
    });
  }
  return { from: Math.floor((rows * index) / count), to: Math.floor((rows * (index + 1)) / count) };
}
