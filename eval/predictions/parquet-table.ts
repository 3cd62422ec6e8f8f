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
  const digits = Buffer.alloc(32);
  let at = 0;
  let row = 0;
  for await (const piece of pieces)
    for (let i = 0; i < piece.length; i++) {
      const value = piece[i];
      const length = value instanceof Uint8Array ? value.length : 24;
      if (at + length > bytes.length) {
        const larger = Buffer.allocUnsafe(2 * bytes.length + length);
        larger.set(bytes.subarray(0, at));
        bytes = larger;
      }
      const start = at;
      let hash = 0;
      let high = 0;
      let text: Uint8Array;
      if (value instanceof Uint8Array) text = value;
      else if (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value)))
        text = digitsOf(value, digits);
      else return null;
      for (let k = 0; k < text.length; k++) {
        const byte = text[k] as number;
        bytes[at++] = byte;
        hash = Math.imul(hash ^ byte, 0x01000193) + 1;
        high |= byte;
      }
      if (at === start || high > 127) return null;
      starts[row] = start;
      lengths[row] = at - start;
      hashes[row++] = hash;
    }
  return row === rows ? new RowIds(bytes, starts, lengths, hashes) : null;
}

/** An integer in digits, written into the end of `into`. */
function digitsOf(value: number | bigint, into: Buffer): Uint8Array {
  let left = Number(value);
  if (!Number.isSafeInteger(left) || left < 0 || Object.is(value, -0))
    return into.subarray(0, into.write(Object.is(value, -0) ? "-0" : String(value), "latin1"));
  let at = into.length;
  do {
    const tens = Math.floor(left / 10);
    into[--at] = 48 + left - 10 * tens;
    left = tens;
  } while (left > 0);
  return into.subarray(at);
}
