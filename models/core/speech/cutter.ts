import type { SegmentSettings } from "../manifest/segment.ts";
import { Segmenter, windowSamples, type Segment } from "./segmenter.ts";
import type { VoiceActivity, VoiceStream } from "./voice-activity.ts";

/**
 * Cuts sound that comes piece by piece into segments of speech. Gate, server, jobs and streams all cut with it.
 */
export class Cutter {
  readonly #voice: VoiceStream;
  readonly #segmenter: Segmenter;
  readonly #window: Float32Array;
  #filled = 0;
  #received = 0;

  constructor(activity: VoiceActivity, settings: Omit<SegmentSettings, "graph">, rate: number) {
    this.#voice = activity.stream(rate);
    this.#segmenter = new Segmenter(settings, rate);
    this.#window = new Float32Array(windowSamples(rate));
  }

  /** Start of the segment that is open; null between segments. */
  get open(): number | null {
    return this.#segmenter.open;
  }

  /** The first sample that a segment of the future may still have. */
  get needed(): number {
    return this.#segmenter.needed;
  }

  /** @returns the segments that ended within these samples; calls follow each other */
  async push(samples: Float32Array): Promise<Segment[]> {
    const segments: Segment[] = [];
    for (let at = 0; at < samples.length;) {
      const part = samples.subarray(at, at + this.#window.length - this.#filled);
      this.#window.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled < this.#window.length) break;
      this.#filled = 0;
      const segment = this.#segmenter.push(await this.#voice.probability(this.#window));
      if (segment !== null) segments.push(segment);
    }
    this.#received += samples.length;
    return segments;
  }

  /** The sound is over; what is left of a window is heard as if silence followed. */
  async finish(): Promise<Segment[]> {
    const segments: Segment[] = [];
    if (this.#filled > 0) {
      this.#window.fill(0, this.#filled);
      this.#filled = 0;
      const segment = this.#segmenter.push(await this.#voice.probability(this.#window));
      if (segment !== null) segments.push({ ...segment, end: Math.min(segment.end, this.#received) });
    }
    const last = this.#segmenter.finish(this.#received);
    return last === null ? segments : [...segments, last];
  }
}

/** The segments of a whole sound. */
export async function cut(
  samples: Float32Array,
  activity: VoiceActivity,
  settings: Omit<SegmentSettings, "graph">,
  rate: number,
): Promise<Segment[]> {
  const cutter = new Cutter(activity, settings, rate);
  const segments = await cutter.push(samples);
  return [...segments, ...(await cutter.finish())];
}
