import { ConfigurationError } from "../../models/core/errors.ts";

/** One of `count` parts, counted from 0. */
export type Shard = { index: number; count: number };

/**
 * Row range [from, to) of a shard: contiguous, in order, sizes differing by at most one; shards beyond the rows are
 * empty.
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
