/** Mask for the row number of a sorted pair, without its mark bit. */
export const rowBits = 0x7fffffff;

/**
 * Indices that put `values` in ascending order, stable. No NaN; -0 and 0 are equal; infinities sort at the ends.
 *
 * Byte-wise radix sort of 32-bit keys that grow with the value. The key is the value's position between the smallest
 * and the largest; an insertion sort then orders the short runs that share a key. Where such a run is long and not
 * constant (values of very different size), the 64 bits of the doubles are sorted instead, sign-folded so that unsigned
 * order is numeric order. Keys and indices are interleaved, so that a move touches one cache line. O(n), no comparator
 * calls above a hundred values.
 */
export function argsort(values: Float64Array): Uint32Array {
  const pairs = sortedOf.get(values)?.pairs ?? sortedPairs(values, null);
  const order = new Uint32Array(values.length);
  for (let i = 0; i < order.length; i++) order[i] = (pairs[2 * i + 1] as number) & rowBits;
  return order;
}

/** Fewer values are sorted again faster than they are remembered. */
const worthKeeping = 1000;
const sortedOf = new WeakMap<Float64Array, { marked: ArrayLike<number> | null; pairs: Uint32Array }>();

/**
 * `argsort` together with the keys that it sorted by: key, row, key, row … Different keys mean different values; equal
 * keys may belong to different values. The top bit of a row is set where `marked` is not 0. That bit moves with the
 * order, which saves a jump to every row. At most 2^31 values.
 *
 * The result belongs to everybody who asks for the same arrays again: metrics, checks and plots of one sample share one
 * sort. The arrays must not change.
 */
export function sortedPairs(values: Float64Array, marked: ArrayLike<number> | null): Uint32Array {
  if (values.length < worthKeeping) return sorted(values, marked);
  const known = sortedOf.get(values);
  if (known !== undefined && known.marked === marked) return known.pairs;
  const pairs = sorted(values, marked);
  sortedOf.set(values, { marked, pairs });
  return pairs;
}

function sorted(values: Float64Array, marked: ArrayLike<number> | null): Uint32Array {
  const n = values.length;
  const bits = new Uint32Array(values.buffer, values.byteOffset, 2 * n);
  if (n >= 96) return byPlace(values, marked) ?? byBits(bits, marked);
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort(
    (i, j) => (values[i] as number) - (values[j] as number) || i - j,
  );
  const pairs = new Uint32Array(2 * n);
  order.forEach((row, i) => {
    pairs[2 * i] = highKey(bits, row);
    pairs[2 * i + 1] = marked !== null && marked[row] !== 0 ? row | 0x80000000 : row;
  });
  return pairs;
}

/**
 * Sorts by position in the range: subtraction, scaling and truncation never reverse an order. Null where the range does
 * not help.
 */
function byPlace(values: Float64Array, marked: ArrayLike<number> | null): Uint32Array | null {
  let lowest = values[0] as number;
  let highest = lowest;
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  const scale = highest > lowest ? 4294967040 / (highest - lowest) : 0;
  if (!Number.isFinite(scale) || (highest > lowest && !(scale > 0))) return null;
  const pairs = new Uint32Array(2 * values.length);
  for (let i = 0; i < values.length; i++) pairs[2 * i] = ((values[i] as number) - lowest) * scale;
  number(pairs, marked);
  const sorted = radix(pairs);
  return insertWithinRuns(values, sorted) ? sorted : null;
}

function number(pairs: Uint32Array, marked: ArrayLike<number> | null): void {
  const n = pairs.length / 2;
  if (marked === null) for (let i = 0; i < n; i++) pairs[2 * i + 1] = i;
  else for (let i = 0; i < n; i++) pairs[2 * i + 1] = marked[i] !== 0 ? i | 0x80000000 : i;
}

function byBits(bits: Uint32Array, marked: ArrayLike<number> | null): Uint32Array {
  let pairs: Uint32Array = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i += 2) pairs[i] = lowKey(bits, i / 2);
  number(pairs, marked);
  pairs = radix(pairs);
  for (let i = 0; i < bits.length; i += 2) pairs[i] = highKey(bits, (pairs[i + 1] as number) & rowBits);
  return radix(pairs);
}

function highKey(bits: Uint32Array, i: number): number {
  const high = bits[2 * i + 1] as number;
  if (high >>> 31 === 0) return (high | 0x80000000) >>> 0;
  return high === 0x80000000 && bits[2 * i] === 0 ? 0x80000000 : ~high >>> 0;
}

function lowKey(bits: Uint32Array, i: number): number {
  const low = bits[2 * i] as number;
  return (bits[2 * i + 1] as number) >>> 31 === 0 || (low === 0 && bits[2 * i + 1] === 0x80000000) ? low : ~low >>> 0;
}

/** [key, index] pairs in ascending order of key, stable. A byte that all keys share needs no pass. */
function radix(pairs: Uint32Array): Uint32Array {
  const n = pairs.length / 2;
  const counts = new Uint32Array(1024);
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i] as number;
    (counts[key & 255] as number)++;
    (counts[256 + ((key >>> 8) & 255)] as number)++;
    (counts[512 + ((key >>> 16) & 255)] as number)++;
    (counts[768 + (key >>> 24)] as number)++;
  }
  let from = pairs;
  let to: Uint32Array = new Uint32Array(pairs.length);
  for (let digit = 0; digit < 4; digit++) {
    const position = counts.subarray(256 * digit, 256 * (digit + 1));
    if (position.includes(n)) continue;
    let sum = 0;
    for (let k = 0; k < 256; k++) {
      const here = position[k] as number;
      position[k] = sum;
      sum += here;
    }
    scatter(from, to, position, 8 * digit);
    [from, to] = [to, from];
  }
  return from;
}

function scatter(from: Uint32Array, to: Uint32Array, position: Uint32Array, shift: number): void {
  for (let i = 0; i < from.length; i += 2) {
    const key = from[i] as number;
    const digit = (key >>> shift) & 255;
    const at = 2 * (position[digit] as number);
    position[digit] = (position[digit] as number) + 1;
    to[at] = key;
    to[at + 1] = from[i + 1] as number;
  }
}

const longRun = 48;

/** Orders the runs of equal keys. False when a run is too long for that and not constant. */
function insertWithinRuns(values: Float64Array, pairs: Uint32Array): boolean {
  let runStart = 0;
  for (let i = 2; i < pairs.length; i += 2) {
    if (pairs[i - 2] !== pairs[i]) {
      runStart = i;
      continue;
    }
    const row = pairs[i + 1] as number;
    const value = values[row & rowBits] as number;
    let j = i - 2;
    while (j >= runStart && (values[(pairs[j + 1] as number) & rowBits] as number) > value) {
      if (i - runStart > 2 * longRun) return false;
      pairs[j + 3] = pairs[j + 1] as number;
      j -= 2;
    }
    pairs[j + 3] = row;
  }
  return true;
}
