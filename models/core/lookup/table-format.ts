import { z } from "zod";

/** The first bytes of a feature table. */
export const magic = "SLUICEFT";

/**
 * A feature table, little-endian: `magic`, uint32 length of the header, the header as JSON in UTF-8; then, each from the
 * next multiple of 8: key ends uint32[keys] (into the text of the keys), event ends uint32[keys] (number of events up
 * to and with this key's), times float64[events], values float32[events × columns], the keys in UTF-8. Keys ascend by
 * their bytes and events by time, so the same features give the same file.
 */
export const tableHeader = z.strictObject({
  format: z.literal(1),
  columns: z.array(z.string().min(1)).min(1).max(4096),
  timed: z.boolean(),
  keys: z.int().nonnegative(),
  events: z.int().nonnegative(),
  keyBytes: z.int().nonnegative(),
});

export type TableHeader = z.infer<typeof tableHeader>;

type Sections = Record<"keyEnds" | "eventEnds" | "times" | "values" | "keys", number> & { end: number };

const padded = (at: number) => Math.ceil(at / 8) * 8;

/** Where each part begins, in bytes. */
export function sections(headerBytes: number, header: TableHeader): Sections {
  const keyEnds = padded(magic.length + 4 + headerBytes);
  const eventEnds = padded(keyEnds + 4 * header.keys);
  const times = padded(eventEnds + 4 * header.keys);
  const values = times + 8 * header.events;
  const keys = padded(values + 4 * header.events * header.columns.length);
  return { keyEnds, eventEnds, times, values, keys, end: keys + header.keyBytes };
}
