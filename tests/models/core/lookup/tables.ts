import { createHash } from "node:crypto";
import { tableBuilder, type TableOptions } from "../../../../models/core/lookup/encode-table.ts";
import { readTable, type MemoryStore } from "../../../../models/core/lookup/read-table.ts";

export type Event = { key: string; at?: number; created?: number; values: (number | null)[] };

export const noon = Date.UTC(2026, 0, 15, 12);
export const hour = 3_600_000;
export const day = 24 * hour;

/** The bytes of a feature table of these events. */
export function tableOf(
  columns: readonly string[],
  events: readonly Event[],
  options: Partial<TableOptions> = {},
): Uint8Array<ArrayBuffer> {
  const builder = tableBuilder(columns, { timed: true, ...options });
  for (const [i, { key, at = noon, created = NaN, values }] of events.entries())
    builder.add(
      key,
      at,
      created,
      values.map((value) => value ?? NaN),
      () => `event ${i}`,
    );
  return builder.finish().bytes;
}

export const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

export const read = (bytes: Uint8Array): Promise<MemoryStore> =>
  readTable(bytes, "card.features", digestOf(bytes), () => Promise.resolve());

export const storeOf = (...given: Parameters<typeof tableOf>): Promise<MemoryStore> => read(tableOf(...given));
