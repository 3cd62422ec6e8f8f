const golden = 0x9e3779b97f4a7c15n;
const mask = 0xffffffffffffffffn;

/** The output function of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
function mix(x: bigint): bigint {
  let z = x & mask;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
  return z ^ (z >> 31n);
}

/**
 * xoshiro128** 1.1 (Blackman and Vigna, ACM TOMS 47, 2021): 32-bit outputs, period 2^128 - 1.
 *
 * A stream is named by (seed, stream). Its four state words are two SplitMix64 outputs started at mix(mix(seed) +
 * stream · golden). Work is divided by stream (one per resample), never by worker, so a result does not depend on the
 * number of workers or on their order.
 */
export class RandomStream {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(seed: number, stream = 0) {
    const start = mix(mix(BigInt(Math.trunc(seed)) + golden) + BigInt(stream) * golden);
    const first = mix(start + golden);
    const second = mix(start + 2n * golden);
    this.a = Number(first & 0xffffffffn) | 0;
    this.b = Number(first >> 32n) | 0;
    this.c = Number(second & 0xffffffffn) | 0;
    this.d = Number(second >> 32n) | 0;
  }

  /** The next 32 random bits, as an unsigned integer. */
  next(): number {
    const five = Math.imul(this.b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
    const t = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= t;
    this.d = (this.d << 11) | (this.d >>> 21);
    return result;
  }

  /** Uniform on (0, 1) with 52 bits, never 0 or 1, so that quantile functions stay finite. */
  uniform(): number {
    const high = this.next() >>> 6;
    const low = this.next() >>> 6;
    return (high * 0x4000000 + low + 0.5) / 0x10000000000000;
  }

  /** Uniform on {0, …, bound - 1}, 1 ≤ bound < 2^31, without bias. */
  below(bound: number): number {
    const one = new Uint32Array(1);
    this.fillBelow(one, 1, bound);
    return one[0] as number;
  }

  /** Puts the items in a random order, in place (Fisher and Yates, from the last item down). */
  shuffle<Item>(items: { [index: number]: Item; readonly length: number }): void {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const kept = items[i] as Item;
      items[i] = items[j] as Item;
      items[j] = kept;
    }
  }

  /**
   * Fills `out[0 … count-1]` with independent uniform draws from {0, …, bound - 1}: the high word of a 32 × 32 bit
   * product. Low words that would bias it are rejected (Lemire, ACM TOMACS 29, 2019).
   */
  fillBelow(out: Uint32Array, count: number, bound: number): void {
    let { a, b, c, d } = this;
    const reject = 0x100000000 % bound;
    const scale = bound / 0x100000000;
    for (let i = 0; i < count;) {
      const five = Math.imul(b, 5);
      const x = Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
      const t = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= t;
      d = (d << 11) | (d >>> 21);
      if (Math.imul(x, bound) >>> 0 < reject) continue;
      out[i++] = x * scale;
    }
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
  }
}
