/**
 * A field of a message. `value`: of a varint. [start, end): where the bytes of any other stand. `from`: where its key
 * begins.
 */
export type Field = { number: number; wire: number; value: number; start: number; end: number; from: number };

/** The bytes end within a field. */
export class Truncated extends Error {}

/**
 * The fields of a message, in order. Protocol Buffers wire format: https://protobuf.dev/programming-guides/encoding/
 *
 * @throws Truncated; Error for what is no message
 */
export function* fields(bytes: Uint8Array, start: number, end: number): Generator<Field> {
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end) throw new Truncated(`it breaks off at byte ${at}`);
      if (shift > 63) throw new Error("no such number");
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < end) {
    const from = at;
    const key = varint();
    const number = Math.floor(key / 8);
    const wire = key % 8;
    if (number === 0) throw new Error("no such field");
    if (wire === 0) {
      const value = varint();
      yield { number, wire, value, start: at, end: at, from };
    } else {
      const length = wire === 2 ? varint() : wire === 5 ? 4 : wire === 1 ? 8 : -1;
      if (length < 0) throw new Error("no such wire type");
      if (at + length > end)
        throw new Truncated(`field ${number} at byte ${at} announces ${length} bytes, ${end - at} follow`);
      yield { number, wire, value: 0, start: at, end: at + length, from };
      at += length;
    }
  }
}

/** A repeated field of floats, packed into one field or not. */
export function floats(bytes: Uint8Array, { wire, start, end }: Field): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  if (wire !== 2 && wire !== 5) throw new Error("no float");
  return Array.from({ length: view.byteLength >> 2 }, (_, i) => view.getFloat32(4 * i, true));
}

/** A repeated field of whole numbers from 0, packed into one field or not. */
export function counts(bytes: Uint8Array, { wire, value, start, end }: Field): number[] {
  if (wire === 0) return [value];
  const found: number[] = [];
  for (let at = start; at < end;) {
    let one = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end) throw new Truncated(`it breaks off at byte ${at}`);
      if (shift > 63) throw new Error("no such number");
      const byte = bytes[at++]!;
      one += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    found.push(one);
  }
  return found;
}

export const text = (bytes: Uint8Array, { start, end }: Field): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
