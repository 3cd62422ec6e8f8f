import { UnusableAudio } from "./unusable-audio.ts";

/** Zero crossings of the sinc on each side. */
const halfWidth = 32;
/** Middle of the transition, as a share of the lower of the two Nyquist frequencies. */
const cutoff = 0.955;
/** Numbers in the table of one pair of rates: every rate in use needs far fewer. */
const maxTable = 4_000_000;
const keptTables = 4;

type Filter = { up: number; down: number; half: number; taps: Float32Array };

/** The most recent ones, by the two rates. */
const filters = new Map<string, Filter>();

/**
 * A polyphase filter: a sinc under a Blackman window, one phase for each place that an output sample may have between
 * two input samples. To 16 kHz it loses 0.1 dB at 7 kHz and leaves -75 dB of what would alias from 8.5 kHz.
 */
function filterOf(from: number, to: number): Filter {
  const name = `${from}/${to}`;
  const known = filters.get(name);
  if (known !== undefined) return known;
  const divisor = greatestCommonDivisor(from, to);
  const [up, down] = [to / divisor, from / divisor];
  const band = cutoff * Math.min(1, to / from);
  const half = Math.ceil(halfWidth / Math.min(1, to / from));
  if (up * 2 * half > maxTable)
    throw new UnusableAudio("the sound has an unusual sample rate", "8000, 16000, 44100 or 48000 Hz", `${from} Hz`);
  const taps = new Float32Array(up * 2 * half);
  for (let phase = 0; phase < up; phase++) {
    let sum = 0;
    const own = new Float64Array(2 * half);
    for (let k = 0; k < 2 * half; k++) {
      const distance = k - half + 1 - phase / up;
      const x = Math.PI * distance * band;
      const place = distance / half;
      const window =
        Math.abs(place) >= 1 ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * place) + 0.08 * Math.cos(2 * Math.PI * place);
      own[k] = (x === 0 ? 1 : Math.sin(x) / x) * window;
      sum += own[k]!;
    }
    // A constant stays what it is, at every phase.
    for (let k = 0; k < 2 * half; k++) taps[phase * 2 * half + k] = own[k]! / sum;
  }
  const made = { up, down, half, taps };
  filters.set(name, made);
  if (filters.size > keptTables) filters.delete(filters.keys().next().value!);
  return made;
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/**
 * Changes the sample rate of sound that comes piece by piece. However it is cut, the same samples come out: each is a sum
 * over the same inputs in the same order.
 */
export class Resampler {
  readonly #filter: Filter | null;
  /** Input that later outputs need; `#base` is the index of its first sample in the whole sound. */
  #kept = new Float32Array(0);
  #base = 0;
  #received = 0;
  #made = 0;

  /** @throws UnusableAudio for a rate that has no simple ratio to the other */
  constructor(from: number, to: number) {
    this.#filter = from === to ? null : filterOf(from, to);
  }

  push(samples: Float32Array): Float32Array {
    if (this.#filter === null) return samples;
    this.#received += samples.length;
    const kept = new Float32Array(this.#kept.length + samples.length);
    kept.set(this.#kept);
    kept.set(samples, this.#kept.length);
    this.#kept = kept;
    const { up, down, half } = this.#filter;
    // Output n lies at n * down / up and needs `half` inputs after that.
    const end = Math.max(this.#made, Math.ceil(((this.#received - half) * up) / down));
    return this.#make(end);
  }

  /** The rest, as if silence followed. */
  flush(): Float32Array {
    if (this.#filter === null) return new Float32Array(0);
    const { up, down } = this.#filter;
    return this.#make(Math.ceil((this.#received * up) / down));
  }

  #make(end: number): Float32Array {
    const { up, down, half, taps } = this.#filter!;
    const out = new Float32Array(end - this.#made);
    const [kept, base] = [this.#kept, this.#base];
    const last = base + kept.length - 1;
    for (let i = 0; i < out.length; i++) {
      const at = (this.#made + i) * down;
      const centre = Math.floor(at / up);
      const phase = (at % up) * 2 * half;
      const first = centre - half + 1;
      const from = Math.max(first, base);
      const to = Math.min(centre + half, last);
      let sum = 0;
      for (let j = from; j <= to; j++) sum += kept[j - base]! * taps[phase + j - first]!;
      out[i] = sum;
    }
    this.#made = end;
    const needed = Math.max(0, Math.floor((end * down) / up) - half + 1);
    if (needed > base) {
      this.#kept = kept.slice(Math.min(kept.length, needed - base));
      this.#base = Math.min(needed, last + 1);
    }
    return out;
  }
}

/** A whole sound at another rate: ceil(samples * to / from) of them. */
export function resample(samples: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return samples;
  const resampler = new Resampler(from, to);
  const [most, rest] = [resampler.push(samples), resampler.flush()];
  const all = new Float32Array(most.length + rest.length);
  all.set(most);
  all.set(rest, most.length);
  return all;
}
