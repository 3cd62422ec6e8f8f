import type { SegmentSettings } from "../manifest/segment.ts";

/** Where speech is, in samples: [start, end). */
export type Segment = { start: number; end: number };

/** A pause inside a segment that is long enough to cut it there. */
const pauseMs = 100;

/** Samples of one window: 32 ms. */
export const windowSamples = (rate: number): number => (rate === 8_000 ? 256 : 512);

/**
 * Finds segments of speech in the probabilities of windows that follow each other. It never looks ahead, so that a file
 * and a stream of the same samples are cut at the same places. The rules are those of Silero's own iterator: a segment
 * begins where the probability reaches `on` and ends where it was below `off` for `minSilenceMs`.
 */
export class Segmenter {
  readonly #settings: Omit<SegmentSettings, "graph">;
  readonly #window: number;
  readonly #pad: number;
  readonly #samplesOf: (ms: number) => number;
  #count = 0;
  /** End of the segment before. */
  #last = 0;
  /** Of the open segment: its start with the padding, and where its speech begins. */
  #open: { start: number; speech: number; continued: boolean } | null = null;
  /** Where the probability fell below `off` and has not reached `on` since. */
  #quietFrom: number | null = null;
  #pause: { from: number; to: number } | null = null;

  constructor(settings: Omit<SegmentSettings, "graph">, rate: number) {
    this.#settings = settings;
    this.#window = windowSamples(rate);
    this.#samplesOf = (ms) => Math.round((ms * rate) / 1000);
    this.#pad = this.#samplesOf(settings.padMs);
  }

  /** Start of the segment that is open; null between segments. */
  get open(): number | null {
    return this.#open?.start ?? null;
  }

  /** The first sample that a segment of the future may still have. */
  get needed(): number {
    return this.#open?.start ?? Math.max(this.#last, this.#count * this.#window - this.#pad);
  }

  /** @returns the segment that ended with this window, if one did */
  push(probability: number): Segment | null {
    const from = this.#count * this.#window;
    this.#count += 1;
    const to = from + this.#window;
    const { on, off, minSilenceMs, maxSeconds } = this.#settings;
    if (this.#open === null) {
      if (probability < on) return null;
      this.#open = { start: Math.max(this.#last, from - this.#pad), speech: from, continued: false };
    } else if (probability >= on) {
      if (this.#quietFrom !== null && from - this.#quietFrom >= this.#samplesOf(pauseMs))
        this.#pause = { from: this.#quietFrom, to: from };
      this.#quietFrom = null;
    } else if (probability < off) this.#quietFrom ??= from;
    if (this.#quietFrom !== null && to - this.#quietFrom >= this.#samplesOf(minSilenceMs))
      return this.#close(this.#quietFrom, this.#quietFrom + this.#pad);
    return to - this.#open.start >= this.#samplesOf(1000 * maxSeconds) ? this.#cut(to) : null;
  }

  /**
   * The sound is over.
   * @param samples how many there were
   */
  finish(samples: number): Segment | null {
    if (this.#open === null) return null;
    const speechEnd = this.#quietFrom ?? samples;
    return this.#close(speechEnd, Math.min(samples, this.#quietFrom === null ? samples : speechEnd + this.#pad));
  }

  #close(speechEnd: number, end: number): Segment | null {
    const { start, speech, continued } = this.#open!;
    this.#open = null;
    this.#quietFrom = null;
    this.#pause = null;
    // What goes on after a cut is speech already.
    if (end <= start || (!continued && speechEnd - speech < this.#samplesOf(this.#settings.minSpeechMs))) return null;
    this.#last = end;
    return { start, end };
  }

  /** The segment is as long as it may be: the next one begins where this one ends. */
  #cut(now: number): Segment {
    const { start } = this.#open!;
    const pause = this.#pause;
    const end = pause === null ? (this.#quietFrom ?? now) : Math.floor((pause.from + pause.to) / 2);
    this.#open = { start: end, speech: end, continued: true };
    this.#pause = null;
    this.#last = end;
    return { start, end };
  }
}
