import type { Predictions } from "./predictions.ts";

/** The ids of a file as they stand in it: ASCII bytes. Row i has `lengths[i]` bytes from `starts[i]` on. */
export class RowIds {
  readonly bytes: Buffer;
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
  readonly hashes: Uint32Array;
  #texts: string[] | undefined;
  #rows: Int32Array | undefined;

  constructor(bytes: Buffer, starts: Uint32Array, lengths: Uint32Array, hashes: Uint32Array) {
    this.bytes = bytes;
    this.starts = starts;
    this.lengths = lengths;
    this.hashes = hashes;
  }

  get length(): number {
    return this.starts.length;
  }

  text(row: number): string {
    const start = this.starts[row] as number;
    return this.bytes.toString("latin1", start, start + (this.lengths[row] as number));
  }

  texts(): string[] {
    if (this.#texts === undefined) {
      const texts = new Array<string>(this.length);
      for (let row = 0; row < texts.length; row++) texts[row] = this.text(row);
      this.#texts = texts;
    }
    return this.#texts;
  }

  /** Whether all ids differ. Ids in ascending order do; others are looked up. */
  unique(): boolean {
    for (let row = 1; row < this.length; row++) if (!this.#ascends(row)) return this.#index() !== null;
    return true;
  }

  /** Whether a row's id is longer than the one before it, or as long and greater. */
  #ascends(row: number): boolean {
    const length = this.lengths[row] as number;
    const earlier = this.lengths[row - 1] as number;
    if (length !== earlier) return length > earlier;
    const [start, before] = [this.starts[row] as number, this.starts[row - 1] as number];
    for (let i = 0; i < length; i++) {
      const difference = (this.bytes[start + i] as number) - (this.bytes[before + i] as number);
      if (difference !== 0) return difference > 0;
    }
    return false;
  }

  /** The row that has the same id as a row of another file; -1 when there is none. The ids must be unique. */
  rowOf(other: RowIds, row: number): number {
    const table = this.#index() as Int32Array;
    const mask = table.length - 1;
    for (let slot = place(other.hashes[row] as number, mask); ; slot = (slot + 1) & mask) {
      const found = (table[slot] as number) - 1;
      if (found < 0 || this.#equal(found, other, row)) return found;
    }
  }

  /** Whether both files have the same ids in the same order. */
  sameAs(other: RowIds): boolean {
    if (this.length !== other.length) return false;
    for (let row = 0; row < this.length; row++)
      if (this.hashes[row] !== other.hashes[row] || !this.#equal(row, other, row)) return false;
    return true;
  }

  #equal(row: number, other: RowIds, otherRow: number): boolean {
    const length = this.lengths[row] as number;
    if (this.hashes[row] !== other.hashes[otherRow] || length !== other.lengths[otherRow]) return false;
    let at = this.starts[row] as number;
    let otherAt = other.starts[otherRow] as number;
    for (const stop = at + length; at < stop; at++, otherAt++)
      if (this.bytes[at] !== other.bytes[otherAt]) return false;
    return true;
  }

  /** Row + 1 by hash, with open addressing; null when an id occurs twice. */
  #index(): Int32Array | null {
    if (this.#rows !== undefined) return this.#rows;
    let size = 16;
    while (size < 2 * this.length) size *= 2;
    const table = new Int32Array(size);
    const mask = size - 1;
    for (let row = 0; row < this.length; row++) {
      let slot = place(this.hashes[row] as number, mask);
      for (let found = table[slot] as number; found !== 0; found = table[slot] as number) {
        if (this.#equal(found - 1, this, row)) return null;
        slot = (slot + 1) & mask;
      }
      table[slot] = row + 1;
    }
    return (this.#rows = table);
  }
}

/** Spreads a hash over the table (the finaliser of MurmurHash3). */
function place(hash: number, mask: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  return (h ^ (h >>> 13)) & mask;
}

const ofPredictions = new WeakMap<Predictions, RowIds>();

/** Remembers the ids of predictions as bytes, so that pairing does not have to make a string of each. */
export function rememberIds(predictions: Predictions, ids: RowIds): Predictions {
  ofPredictions.set(predictions, ids);
  return predictions;
}

export function rememberedIds(predictions: Predictions): RowIds | undefined {
  return ofPredictions.get(predictions);
}
