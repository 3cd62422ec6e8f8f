import { UnusableAudio } from "./unusable-audio.ts";

/** Sound of one channel. Full scale is [-1, 1]; a decoder may overshoot it a little. */
export type MonoAudio = { samples: Float32Array; rate: number };

export type AudioLimits = {
  /** Longer sound is refused, as soon as that much has been decoded. */
  maxSeconds: number;
};

/** More than cinemas have. What claims more is no sound but a way to fill memory. */
const maxChannels = 16;
const rates = { low: 1_000, high: 768_000 };

/**
 * Collects decoded sound as the mean of its channels and stops at the limit, so that a small file that unpacks to hours
 * never holds more than the limit in memory.
 */
export class MonoTrack {
  readonly #limits: AudioLimits;
  readonly #chunks: Float32Array[] = [];
  #length = 0;
  #rate = 0;
  #skip: number;

  /** @param skip samples at the beginning that an encoder put before the sound */
  constructor(limits: AudioLimits, skip = 0) {
    this.#limits = limits;
    this.#skip = skip;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * @param channels of the same length, planar
   * @throws UnusableAudio past the limit, or where rate or channels are none of sound
   */
  add(channels: readonly Float32Array[], rate: number): void {
    const frames = channels[0]?.length ?? 0;
    if (frames === 0) return;
    assertShape(channels.length, rate);
    if (this.#rate !== 0 && rate !== this.#rate)
      throw new UnusableAudio("the sample rate changes within the sound", `${this.#rate} Hz throughout`, `${rate} Hz`);
    this.#rate = rate;
    const from = Math.min(this.#skip, frames);
    this.#skip -= from;
    if (from === frames) return;
    const mono = new Float32Array(frames - from);
    for (const channel of channels) for (let i = 0; i < mono.length; i++) mono[i]! += channel[from + i]!;
    if (channels.length > 1) for (let i = 0; i < mono.length; i++) mono[i]! /= channels.length;
    this.#chunks.push(mono);
    this.#length += mono.length;
    assertLength(this.#length / rate, this.#limits);
  }

  /** @throws UnusableAudio without a single sample, or with one that is no number */
  finish(): MonoAudio {
    if (this.#length === 0) throw new UnusableAudio("there is no sound in it", "at least one sample", "none");
    const samples = new Float32Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      samples.set(chunk, at);
      at += chunk.length;
    }
    if (!samples.every(Number.isFinite))
      throw new UnusableAudio("the sound has samples that are no numbers", "finite samples", "NaN or infinity");
    return { samples, rate: this.#rate };
  }
}

/** @throws UnusableAudio for what no recording has */
export function assertShape(channels: number, rate: number): void {
  if (channels < 1 || channels > maxChannels)
    throw new UnusableAudio(
      "the sound has a number of channels that is not read here",
      `1 to ${maxChannels} channels`,
      String(channels),
    );
  if (!(rate >= rates.low && rate <= rates.high))
    throw new UnusableAudio(
      "the sound has a sample rate that is not read here",
      `${rates.low} to ${rates.high} Hz`,
      `${rate} Hz`,
    );
}

/** @throws UnusableAudio past the limit */
export function assertLength(seconds: number, { maxSeconds }: AudioLimits): void {
  if (seconds > maxSeconds)
    throw new UnusableAudio(
      "the sound is too long",
      `at most ${maxSeconds} s`,
      "more than that; the rest was not read",
    );
}
