import { EvaluationError } from "../errors.ts";
import { hashAscii, hashBytes } from "./hash.ts";
import type { ColumnTotals, FeatureStore, KeyEvents } from "./store.ts";
import { magic, sections, tableHeader, type TableHeader } from "./table-format.ts";
import { columnTotals } from "./windows.ts";

export type MemoryStore = FeatureStore & { kind: "memory" };

/** Keys that are indexed between two pauses, about 20 ms. */
const STRIDE = 65_536;
const MAX_HEADER_BYTES = 1 << 20;

/**
 * A feature table in memory: its own bytes, and an index by open addressing with linear probing, at most half full. A
 * key is compared byte by byte, so no collision can give another key's features. Nothing in the file is believed before
 * it is checked.
 *
 * @param pause awaited now and then, so that a thread which serves requests can do so in between
 * @throws EvaluationError `feature-table` for bytes that are no feature table, or a damaged one
 */
export async function readTable(
  given: Uint8Array,
  name: string,
  sha256: string,
  pause: () => Promise<void>,
): Promise<MemoryStore> {
  const damaged = (problem: string, received: string) =>
    new EvaluationError({
      code: "feature-table",
      place: name,
      problem,
      expected: "a feature table as `sluice features build` writes it",
      received,
    });
  // Typed arrays need an offset that is a multiple of their size.
  const bytes = given.byteOffset % 8 === 0 ? given : given.slice();
  const { header, headerBytes } = readHeader(bytes, damaged);
  const at = sections(headerBytes, header);
  if (bytes.length !== at.end)
    throw damaged(
      "the file does not have the size that its header says",
      `${bytes.length} bytes in place of ${at.end}`,
    );
  const { buffer, byteOffset } = bytes;
  const keyEnds = new Uint32Array(buffer, byteOffset + at.keyEnds, header.keys);
  const eventEnds = new Uint32Array(buffer, byteOffset + at.eventEnds, header.keys);
  const times = new Float64Array(buffer, byteOffset + at.times, header.events);
  const values = new Float32Array(buffer, byteOffset + at.values, header.events * header.columns.length);
  const text = bytes.subarray(at.keys, at.end);
  const seed = Number.parseInt(sha256.slice(0, 8), 16) | 0;
  const capacity = 2 ** Math.max(3, Math.ceil(Math.log2(2 * Math.max(1, header.keys))));
  const mask = capacity - 1;
  // Key number + 1; 0 is an empty place.
  const slots = new Uint32Array(capacity);

  let newestMs = -Infinity;
  for (let key = 0; key < header.keys; key++) {
    if (key % STRIDE === STRIDE - 1) await pause();
    const [keyFrom, keyTo] = [key === 0 ? 0 : keyEnds[key - 1]!, keyEnds[key]!];
    const [from, to] = [key === 0 ? 0 : eventEnds[key - 1]!, eventEnds[key]!];
    if (keyTo <= keyFrom || keyTo > header.keyBytes || to <= from || to > header.events)
      throw damaged("the table's parts do not fit together", `key ${key}`);
    if (key > 0 && !ascends(text, key === 1 ? 0 : keyEnds[key - 2]!, keyFrom, keyTo))
      throw damaged("the keys do not ascend, or one stands twice", `key ${key}`);
    for (let event = from; event < to; event++) {
      const time = times[event]!;
      if (header.timed ? !Number.isFinite(time) : time !== -Infinity || to - from > 1)
        throw damaged("an event's time is not one", `event ${event}`);
      if (event > from && time < times[event - 1]!) throw damaged("the events do not ascend", `event ${event}`);
    }
    newestMs = Math.max(newestMs, times[to - 1]!);
    let slot = hashBytes(text, keyFrom, keyTo, seed) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = key + 1;
  }
  if ((header.keys === 0 ? 0 : eventEnds[header.keys - 1]!) !== header.events || (keyEnds.at(-1) ?? 0) !== text.length)
    throw damaged("the table's parts do not fit together", "events or keys that belong to nothing");
  for (let i = 0; i < values.length; i++) {
    if (i % (16 * STRIDE) === 0) await pause();
    if (Math.abs(values[i]!) === Infinity) throw damaged("a value is not finite", `value ${i}`);
  }

  const eventsOf = (key: number): KeyEvents => ({
    times,
    values,
    from: key === 0 ? 0 : eventEnds[key - 1]!,
    to: eventEnds[key]!,
  });
  const find = (key: string): KeyEvents | null => {
    const hash = hashAscii(key, seed);
    if (hash === -1) {
      const encoded = new TextEncoder().encode(key);
      for (let slot = hashBytes(encoded, 0, encoded.length, seed) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
        const found = slots[slot]! - 1;
        const from = found === 0 ? 0 : keyEnds[found - 1]!;
        if (Buffer.compare(encoded, text.subarray(from, keyEnds[found]!)) === 0) return eventsOf(found);
      }
      return null;
    }
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const found = slots[slot]! - 1;
      const from = found === 0 ? 0 : keyEnds[found - 1]!;
      if (keyEnds[found]! - from !== key.length) continue;
      let i = 0;
      while (i < key.length && text[from + i] === key.charCodeAt(i)) i++;
      if (i === key.length) return eventsOf(found);
    }
    return null;
  };
  const totals = new Map<number, ColumnTotals | null>();
  return {
    kind: "memory",
    totals(column) {
      let known = totals.get(column);
      if (known === undefined) totals.set(column, (known = columnTotals(values, header.columns.length, column)));
      return known;
    },
    name,
    sha256,
    columns: header.columns,
    timed: header.timed,
    newestMs,
    find,
    *keys() {
      const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
      for (let key = 0; key < header.keys; key++)
        yield decoder.decode(text.subarray(key === 0 ? 0 : keyEnds[key - 1]!, keyEnds[key]!));
    },
    close: () => Promise.resolve(),
  };
}

function readHeader(
  bytes: Uint8Array,
  damaged: (problem: string, received: string) => EvaluationError,
): { header: TableHeader; headerBytes: number } {
  const start = magic.length + 4;
  if (bytes.length < start || new TextDecoder("latin1").decode(bytes.subarray(0, magic.length)) !== magic)
    throw damaged("not a feature table", `${bytes.length} bytes that begin otherwise`);
  const headerBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(magic.length, true);
  if (headerBytes > MAX_HEADER_BYTES || start + headerBytes > bytes.length)
    throw damaged("the header is cut off", `${headerBytes} bytes of header in a file of ${bytes.length}`);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(start, start + headerBytes));
    return { header: tableHeader.parse(JSON.parse(text)), headerBytes };
  } catch (error) {
    throw damaged(
      "the header cannot be read",
      String((error as Error).message)
        .split("\n", 1)[0]!
        .slice(0, 120),
    );
  }
}

/** Whether the key in from ≤ i < middle is less than the one in middle ≤ i < to. */
function ascends(text: Uint8Array, from: number, middle: number, to: number): boolean {
  return Buffer.compare(text.subarray(from, middle), text.subarray(middle, to)) < 0;
}
