import { RowIds } from "./row-ids.ts";
import type { TextColumn } from "./text-column.ts";

type Pieces = AsyncIterable<ArrayLike<unknown>>;

/** A column of finite numbers; null where a value is anything else. */
export async function numbersIn(pieces: Pieces, rows: number): Promise<Float64Array | null> {
  const numbers = new Float64Array(rows);
  let row = 0;
  for await (const piece of pieces)
    for (let i = 0; i < piece.length; i++) {
      const value = piece[i];
      const number = typeof value === "number" ? value : typeof value === "bigint" ? Number(value) : Number.NaN;
      if (!Number.isFinite(number)) return null;
      numbers[row++] = number;
    }
  return row === rows ? numbers : null;
}

/**
 * A column of texts, numbers and booleans as texts; null where a value is anything else.
 * @param missing what rows without a value have; null where every row must have one
 */
export async function textsIn(pieces: Pieces, rows: number, missing: string | null): Promise<TextColumn | null> {
  const codes = new Uint32Array(rows);
  const codeOf = new Map<unknown, number>();
  const values: string[] = [];
  let row = 0;
  for await (const piece of pieces)
    for (let i = 0; i < piece.length; i++) {
      const value = piece[i];
      let code = codeOf.get(value);
      if (code === undefined || value === 0) {
        const text = textOf(value, missing);
        if (text === null) return null;
        code = values.indexOf(text);
        if (code < 0) code = values.push(text) - 1;
        codeOf.set(value, code);
      }
      codes[row++] = code;
    }
  return row === rows ? { values, codes } : null;
}

function textOf(value: unknown, missing: string | null): string | null {
  if (value === null || value === undefined || value === "") return missing;
  if (Object.is(value, -0)) return "-0";
  return typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "bigint" ||
    typeof value === "boolean"
    ? String(value)
    : null;
}

/** Ids as bytes: ASCII texts, or integers in digits; null where an id is anything else. */
export async function idsIn(pieces: Pieces, rows: number): Promise<RowIds | null> {
  let bytes = Buffer.allocUnsafe(16 * rows + 64);
  const starts = new Uint32Array(rows);
  const lengths = new Uint32Array(rows);
  const hashes = new Uint32Array(rows);
  let at = 0;
  let row = 0;
  for await (const piece of pieces) {
    // The halves of 64-bit integers are read as numbers, because a bigint each takes a while.
    const halves =
      piece instanceof BigInt64Array ? new Int32Array(piece.buffer, piece.byteOffset, 2 * piece.length) : null;
    for (let i = 0; i < piece.length; i++) {
      const whole =
        halves === null ? -1 : (halves[2 * i + 1] as number) * 4294967296 + ((halves[2 * i] as number) >>> 0);
      const value = whole >= 0 && whole <= Number.MAX_SAFE_INTEGER ? whole : piece[i];
      const room = value instanceof Uint8Array ? value.length : 24;
      if (at + room > bytes.length) {
        const larger = Buffer.allocUnsafe(2 * bytes.length + room);
        larger.set(bytes.subarray(0, at));
        bytes = larger;
      }
      const start = at;
      if (value instanceof Uint8Array) {
        for (let k = 0; k < value.length; k++) bytes[at++] = value[k] as number;
      } else if (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value)))
        at = writeInteger(value, bytes, at);
      else return null;
      let hash = 0;
      let high = 0;
      for (let k = start; k < at; k++) {
        const byte = bytes[k] as number;
        hash = Math.imul(hash ^ byte, 0x01000193) + 1;
        high |= byte;
      }
      if (at === start || high > 127) return null;
      starts[row] = start;
      lengths[row] = at - start;
      hashes[row++] = hash;
    }
  }
  return row === rows ? new RowIds(bytes, starts, lengths, hashes) : null;
}

/** Writes an integer in digits; returns where it ends. */
function writeInteger(value: number | bigint, into: Buffer, from: number): number {
  let left = Number(value);
  if (!Number.isSafeInteger(left) || left < 0 || Object.is(value, -0))
    return from + into.write(Object.is(value, -0) ? "-0" : String(value), from, "latin1");
  let size = 1;
  for (let power = 10; power <= left; power *= 10) size++;
  for (let at = from + size - 1; at >= from; at--) {
    const tens = Math.floor(left / 10);
    into[at] = 48 + left - 10 * tens;
    left = tens;
  }
  return from + size;
}
