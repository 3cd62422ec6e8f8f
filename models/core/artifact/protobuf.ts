/**
 * A field of a Protocol Buffers message: its number, wire type, value (of varints), and where its content lies. `from`
 * is where its key begins.
 */
export type Field = { number: number; wire: number; value: number; start: number; end: number; from: number };

export class Truncated extends Error {}

/**
 * The fields of one message in order; nothing is copied. Wire format: https://protobuf.dev/programming-guides/encoding/
 *
 * @throws Truncated when a field reaches beyond `end`; Error for bytes that are no message
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

/** A length-delimited field as UTF-8. */
export const text = (bytes: Uint8Array, field: Field) =>
  Buffer.from(bytes.buffer, bytes.byteOffset + field.start, field.end - field.start).toString("utf8");
