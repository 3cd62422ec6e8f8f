import { decimalAt, endOfDecimal } from "./decimal-bytes.ts";
import { RowIds } from "./row-ids.ts";
import type { TextColumn } from "./text-column.ts";

/** How a column is read: the rows' ids, numbers, repeated texts, or not at all. */
export type ScannedAs = "id" | "number" | "text" | "optional-text" | "skip";

export type ScannedCsv = {
  ids: RowIds;
  /** Per column; null where it is not read as numbers. */
  numbers: (Float64Array | null)[];
  /** Per column; null where it is not read as texts. */
  texts: (TextColumn | null)[];
  /** Line of a row, counted from 1. */
  lineOf: (row: number) => number;
};

const [feed, carriage, quote] = [10, 13, 34];

/**
 * Reads a plain CSV file straight into columns, without a string per cell. Plain means: every record on one line with
 * as many cells as there are columns, quotes only around whole cells and none within, ids in ASCII, numbers finite.
 * Null for every other file, which the full parser then reads, or refuses with the place.
 *
 * @param bytes the file as UTF-8, ending in a line feed
 * @param from where the first record begins
 * @param missing what an optional text is where its cell is empty
 */
export function scanCsv(
  bytes: Buffer,
  from: number,
  { delimiter, mark }: { delimiter: number; mark: number },
  kinds: readonly ScannedAs[],
  missing: string,
): ScannedCsv | null {
  const line = Math.max(2, bytes.indexOf(feed, from) + 1 - from);
  let capacity = Math.ceil((bytes.length - from) / line) + 16;
  const width = kinds.length;
  const last = width - 1;
  let starts = new Uint32Array(capacity);
  let lengths = new Uint32Array(capacity);
  let hashes = new Uint32Array(capacity);
  const numbers = kinds.map((kind) => (kind === "number" ? new Float64Array(capacity) : null));
  const dictionaries = kinds.map((kind) =>
    kind === "text" || kind === "optional-text" ? new Dictionary(bytes) : null,
  );
  const codes = dictionaries.map((one) => (one === null ? null : new Uint32Array(capacity)));
  let row = 0;
  let at = from;
  while (at < bytes.length) {
    if (bytes[at] === feed) {
      at++;
      continue;
    }
    if (bytes[at] === carriage && bytes[at + 1] === feed) {
      at += 2;
      continue;
    }
    if (row === capacity) {
      capacity = Math.ceil(capacity * 1.5);
      starts = grown(starts, capacity);
      lengths = grown(lengths, capacity);
      hashes = grown(hashes, capacity);
      for (let c = 0; c < width; c++) {
        if (numbers[c] != null) {
          const larger = new Float64Array(capacity);
          larger.set(numbers[c] as Float64Array);
          numbers[c] = larger;
        }
        if (codes[c] != null) codes[c] = grown(codes[c] as Uint32Array<ArrayBuffer>, capacity);
      }
    }
    for (let c = 0; c < width; c++) {
      const kind = kinds[c];
      const quoted = bytes[at] === quote;
      const start = quoted ? at + 1 : at;
      let end = start;
      if (kind === "number") {
        const value = decimalAt(bytes, start, mark);
        end = endOfDecimal();
        if (!Number.isFinite(value)) return null;
        (numbers[c] as Float64Array)[row] = value;
      } else {
        let hash = 0;
        let high = 0;
        for (let byte = bytes[end] as number; ; byte = bytes[++end] as number) {
          if (byte === quote || byte === feed || byte === carriage || (byte === delimiter && !quoted)) break;
          hash = Math.imul(hash ^ byte, 0x01000193) + 1;
          high |= byte;
        }
        if (kind === "id") {
          if (end === start || high > 127) return null;
          starts[row] = start;
          lengths[row] = end - start;
          hashes[row] = hash;
        } else if (kind !== "skip") {
          if (end > start) (codes[c] as Uint32Array)[row] = (dictionaries[c] as Dictionary).codeOf(start, end, hash);
          else if (kind === "text") return null;
          else (codes[c] as Uint32Array)[row] = (dictionaries[c] as Dictionary).codeOfMissing(missing);
        }
      }
      if (quoted) {
        // An empty text in quotes is not a missing one.
        if (bytes[end] !== quote || end === start) return null;
        end++;
      }
      const stop = bytes[end];
      if (c < last) {
        if (stop !== delimiter) return null;
        at = end + 1;
      } else if (stop === feed) at = end + 1;
      else if (stop === carriage && bytes[end + 1] === feed) at = end + 2;
      else return null;
    }
    row++;
  }
  const ids = new RowIds(bytes, starts.subarray(0, row), lengths.subarray(0, row), hashes.subarray(0, row));
  return {
    ids,
    numbers: numbers.map((column) => column?.slice(0, row) ?? null),
    texts: dictionaries.map((one, c) =>
      one === null ? null : { values: one.values, codes: (codes[c] as Uint32Array).subarray(0, row) },
    ),
    lineOf: (one) => {
      let line = 1;
      const stop = ids.starts[one] as number;
      for (let i = bytes.indexOf(feed); i >= 0 && i < stop; i = bytes.indexOf(feed, i + 1)) line++;
      return line;
    },
  };
}

function grown(values: Uint32Array<ArrayBuffer>, capacity: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(capacity);
  larger.set(values);
  return larger;
}

/** Distinct texts of a column in order of first appearance, found by their bytes. */
class Dictionary {
  readonly values: string[] = [];
  readonly #bytes: Buffer;
  #slots = new Int32Array(64);
  #starts: number[] = [];
  #ends: number[] = [];
  #hashes: number[] = [];
  #missing = -1;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  codeOf(start: number, end: number, hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (let found = this.#slots[slot] as number; found !== 0; found = this.#slots[slot] as number) {
      if (this.#hashes[found - 1] === hash && this.#same(found - 1, start, end)) return found - 1;
      slot = (slot + 1) & mask;
    }
    const text = this.#bytes.toString("utf8", start, end);
    // The word for a missing value may also stand in the file.
    const code = this.#missing >= 0 && this.values[this.#missing] === text ? this.#missing : this.values.push(text) - 1;
    if (code === this.#missing) return code;
    this.#starts[code] = start;
    this.#ends[code] = end;
    this.#hashes[code] = hash;
    this.#slots[slot] = code + 1;
    if (2 * this.values.length > this.#slots.length) this.#grow();
    return code;
  }

  codeOfMissing(name: string): number {
    if (this.#missing >= 0) return this.#missing;
    const known = this.values.indexOf(name);
    this.#missing = known >= 0 ? known : this.values.push(name) - 1;
    if (known < 0) {
      this.#starts[this.#missing] = 0;
      this.#ends[this.#missing] = 0;
      this.#hashes[this.#missing] = -1;
    }
    return this.#missing;
  }

  #same(code: number, start: number, end: number): boolean {
    const from = this.#starts[code] as number;
    if ((this.#ends[code] as number) - from !== end - start) return false;
    for (let i = start; i < end; i++) if (this.#bytes[i] !== this.#bytes[from + i - start]) return false;
    return true;
  }

  #grow(): void {
    const slots = new Int32Array(4 * this.#slots.length);
    const mask = slots.length - 1;
    for (let code = 0; code < this.values.length; code++) {
      if (this.#ends[code] === 0) continue;
      const hash = this.#hashes[code] as number;
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = code + 1;
    }
    this.#slots = slots;
  }
}
