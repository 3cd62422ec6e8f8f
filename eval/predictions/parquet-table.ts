import { DictionaryTexts, PageTexts } from "../dataset/formats/parquet-pages.ts";
import { RowIds } from "./row-ids.ts";
import type { TextColumn } from "./text-column.ts";

/** A column's values in pieces; null in the place of one that could not be read in this way. */
export type Pieces = AsyncIterable<ArrayLike<unknown> | PageTexts | DictionaryTexts | null>;

/** A column of finite numbers; null where a value is anything else. */
export async function numbersIn(pieces: Pieces, rows: number): Promise<Float64Array | null> {
  const numbers = new Float64Array(rows);
  let row = 0;
  for await (const piece of pieces) {
    if (piece === null || piece instanceof PageTexts || piece instanceof DictionaryTexts) return null;
    if (row + piece.length > rows) return null;
    // A loop for each kind of array is much faster than one for all.
    if (piece instanceof Int32Array) numbers.set(piece, row);
    else if (piece instanceof Float64Array) {
      numbers.set(piece, row);
      for (let i = 0; i < piece.length; i++) if (!Number.isFinite(piece[i])) return null;
    } else
      for (let i = 0; i < piece.length; i++) {
        const value = piece[i];
        const number = typeof value === "number" ? value : typeof value === "bigint" ? Number(value) : Number.NaN;
        if (!Number.isFinite(number)) return null;
        numbers[row + i] = number;
      }
    row += piece.length;
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
  /** The code of a value; -1 for one that is none. */
  const codeFor = (value: unknown): number => {
    // A map takes 0 and -0 for the same.
    const known = Object.is(value, -0) ? undefined : codeOf.get(value);
    if (known !== undefined) return known;
    const text = textOf(value, missing);
    if (text === null) return -1;
    const listed = values.indexOf(text);
    const code = listed < 0 ? values.push(text) - 1 : listed;
    if (!Object.is(value, -0)) codeOf.set(value, code);
    return code;
  };
  for await (const piece of pieces) {
    if (piece === null) return null;
    const length = piece instanceof DictionaryTexts ? piece.places.length : piece.length;
    if (row + length > rows) return null;
    if (piece instanceof DictionaryTexts) {
      const { places, texts } = piece;
      const byPlace = new Int32Array(texts.length).fill(-1);
      for (let i = 0; i < length; i++) {
        const place = places[i] as number;
        if (byPlace[place] === -1 && (byPlace[place] = codeFor(texts.text(place))) < 0) return null;
        codes[row + i] = byPlace[place] as number;
      }
    } else
      for (let i = 0; i < length; i++) {
        const code = codeFor(piece instanceof PageTexts ? piece.text(i) : piece[i]);
        if (code < 0) return null;
        codes[row + i] = code;
      }
    row += length;
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
  const grow = (room: number) => {
    if (at + room <= bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * bytes.length + room);
    larger.set(bytes.subarray(0, at));
    bytes = larger;
  };
  /** Notes the id that lies between two places of `bytes`; false when it is empty or not ASCII. */
  const note = (start: number, end: number): boolean => {
    let hash = 0;
    let high = 0;
    for (let k = start; k < end; k++) {
      const byte = bytes[k] as number;
      hash = Math.imul(hash ^ byte, 0x01000193) + 1;
      high |= byte;
    }
    starts[row] = start;
    lengths[row] = end - start;
    hashes[row++] = hash;
    return end > start && high <= 127;
  };
  for await (const piece of pieces) {
    if (piece === null) return null;
    if (piece instanceof PageTexts) {
      grow(piece.bytes.length);
      bytes.set(piece.bytes, at);
      for (let i = 0; i < piece.length; i++)
        if (!note(at + (piece.starts[i] as number), at + (piece.ends[i] as number))) return null;
      at += piece.bytes.length;
      continue;
    }
    if (piece instanceof DictionaryTexts) {
      const { places, texts } = piece;
      for (const place of places) {
        const [start, end] = [texts.starts[place] as number, texts.ends[place] as number];
        grow(end - start);
        const from = at;
        for (let k = start; k < end; k++) bytes[at++] = texts.bytes[k] as number;
        if (!note(from, at)) return null;
      }
      continue;
    }
    // The halves of 64-bit integers are read as numbers, because a bigint each takes a while.
    const halves =
      piece instanceof BigInt64Array ? new Int32Array(piece.buffer, piece.byteOffset, 2 * piece.length) : null;
    for (let i = 0; i < piece.length; i++) {
      const whole =
        halves === null ? -1 : (halves[2 * i + 1] as number) * 4294967296 + ((halves[2 * i] as number) >>> 0);
      const value = whole >= 0 && whole <= Number.MAX_SAFE_INTEGER ? whole : piece[i];
      grow(value instanceof Uint8Array ? value.length : 24);
      const start = at;
      if (value instanceof Uint8Array) {
        for (let k = 0; k < value.length; k++) bytes[at++] = value[k] as number;
      } else if (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value)))
        at = writeInteger(value, bytes, at);
      else return null;
      if (!note(start, at)) return null;
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
  let at = from + size - 1;
  for (; left > 0x7fff_ffff; at--) {
    const tens = Math.floor(left / 10);
    into[at] = 48 + left - 10 * tens;
    left = tens;
  }
  // 32-bit integers are divided much faster.
  for (let rest = left | 0; at >= from; at--) {
    const tens = (rest / 10) | 0;
    into[at] = 48 + rest - 10 * tens;
    rest = tens;
  }
  return from + size;
}
