import { ConfigurationError } from "../../models/core/errors.ts";
import { encodeEvents } from "../../models/core/lookup/remote-value.ts";
import type { MemoryStore } from "../../models/core/lookup/read-table.ts";

/** Keys of one MSET. */
const KEYS_AT_ONCE = 1000;

/**
 * Writes every key of a feature table into Redis, as a lookup step with `store.redis` reads it. Keys that are there
 * already are replaced; others stay.
 *
 * @returns the number of keys
 * @throws ConfigurationError for a table without times
 */
export async function pushFeatures(
  store: MemoryStore,
  { url, prefix }: { url: string; prefix: string },
): Promise<number> {
  if (!store.timed)
    throw new ConfigurationError({
      code: "lookup-times",
      place: store.name,
      problem: "the values in Redis have times, and this table has none",
      expected: "a table built with --time COLUMN",
    });
  const { createClient } = await import("@redis/client");
  const client = createClient({ url, socket: { connectTimeout: 5000, reconnectStrategy: false } });
  client.on("error", () => {});
  await client.connect();
  try {
    let keys = 0;
    let part: [string, Buffer][] = [];
    const write = async () => {
      if (part.length > 0) await client.mSet(part);
      part = [];
    };
    for (const key of store.keys()) {
      part.push([`${prefix}${key}`, encodeEvents(store.find(key)!, store.columns.length)]);
      keys++;
      if (part.length === KEYS_AT_ONCE) await write();
    }
    await write();
    return keys;
  } finally {
    client.destroy();
  }
}
