import { Resampler } from "../../../models/core/audio/resample.ts";
import type { HeadResult, TextResult } from "../../../models/core/postprocess/result.ts";
import { Cutter } from "../../../models/core/speech/cutter.ts";
import { joinTexts, seconds, type AnsweredSegment } from "../../../models/core/speech/join-texts.ts";
import type { Segment } from "../../../models/core/speech/segmenter.ts";
import type { VoiceActivity } from "../../../models/core/speech/voice-activity.ts";
import type { SpeechModel } from "../serving/served-model.ts";
import { AgreedWords } from "./agreed-words.ts";

export type SpeechEvent =
  /** `end`: to where the sound was heard for this text. */
  | { type: "partial"; segment: number; start: number; end: number; committed: string; text: string }
  | { type: "final"; segment: number; start: number; end: number; text: string; revised: number }
  | { type: "result"; heads: Record<string, HeadResult>; seconds: number };

type StreamDeps = {
  activity: VoiceActivity;
  /** Samples a second that come. */
  rate: number;
  /** New sound after which the open segment is heard again. */
  partialMs: number;
  /** @throws where the model has no answer */
  answer(pcm: Float32Array): Promise<Record<string, HeadResult>>;
  send(event: SpeechEvent): void;
  /** What went wrong in a partial hearing; the next one may go well. */
  onPartialError(error: unknown): void;
  now(): number;
};

/** The stream has brought more sound than its model takes. */
export class SoundTooLong extends Error {
  override name = "SoundTooLong";
}

/** A hearing may take this share of the time, so that what comes in is answered first. */
const hearingShare = 0.5;

/**
 * One speaker's stream: sound in, words out. Its segments are cut and answered as those of a file of the same samples.
 * Calls follow each other; what is kept is bounded by the longest segment.
 */
export class SpeechStream {
  readonly #model: SpeechModel;
  readonly #deps: StreamDeps;
  readonly #cutter: Cutter;
  readonly #resampler: Resampler;
  readonly #answered: AnsweredSegment[] = [];
  /** Sound from `#base` on, at the model's rate. */
  #kept = new Float32Array(0);
  #base = 0;
  #received = 0;
  #words = new AgreedWords();
  #hearing = false;
  #heardTo = 0;
  #nextHearingAt = 0;

  constructor(model: SpeechModel, deps: StreamDeps) {
    this.#model = model;
    this.#deps = deps;
    this.#cutter = new Cutter(deps.activity, model.settings, model.rate);
    this.#resampler = new Resampler(deps.rate, model.rate);
  }

  /** @throws SoundTooLong past the model's longest sound, and as `answer` */
  async push(samples: Float32Array): Promise<void> {
    await this.#take(this.#resampler.push(samples));
    this.#hearAgain();
  }

  /** The sound is over: answers what is left, then sends the whole. */
  async end(): Promise<void> {
    await this.#take(this.#resampler.flush());
    for (const segment of await this.#cutter.finish()) await this.#finish(segment);
    this.#deps.send({
      type: "result",
      heads: joinTexts(this.#model.heads, this.#answered, this.#model.settings.separator),
      seconds: seconds(this.#received, this.#model.rate),
    });
  }

  async #take(samples: Float32Array): Promise<void> {
    if (samples.length === 0) return;
    if (this.#received + samples.length > this.#model.maxSeconds * this.#model.rate)
      throw new SoundTooLong(`more than ${this.#model.maxSeconds} s of sound`);
    const kept = new Float32Array(this.#kept.length + samples.length);
    kept.set(this.#kept);
    kept.set(samples, this.#kept.length);
    this.#kept = kept;
    this.#received += samples.length;
    for (const segment of await this.#cutter.push(samples)) await this.#finish(segment);
    const from = Math.min(this.#cutter.needed, this.#received);
    this.#kept = this.#kept.slice(from - this.#base);
    this.#base = from;
  }

  #part({ start, end }: Segment): Float32Array {
    return this.#kept.slice(start - this.#base, end - this.#base);
  }

  async #finish(segment: Segment): Promise<void> {
    const heads = await this.#deps.answer(this.#part(segment));
    const { text } = heads[this.#model.heads[0]!] as TextResult;
    const [start, end] = [seconds(segment.start, this.#model.rate), seconds(segment.end, this.#model.rate)];
    this.#deps.send({
      type: "final",
      segment: this.#answered.length,
      start,
      end,
      text: text.trim(),
      revised: this.#words.revisedIn(text),
    });
    this.#answered.push({ start, end, heads });
    this.#words = new AgreedWords();
    this.#heardTo = segment.end;
  }

  /** Hears the open segment again, beside what comes in, where enough is new and the last hearing is long enough ago. */
  #hearAgain(): void {
    const { open } = this.#cutter;
    const { rate } = this.#model;
    const { partialMs, now } = this.#deps;
    if (open === null || this.#hearing || now() < this.#nextHearingAt) return;
    if (this.#received - Math.max(open, this.#heardTo) < (partialMs * rate) / 1000) return;
    this.#heardTo = this.#received;
    this.#hearing = true;
    void this.#hear(open, this.#words);
  }

  async #hear(open: number, words: AgreedWords): Promise<void> {
    const startedAt = this.#deps.now();
    try {
      const heardTo = this.#received;
      const heads = await this.#deps.answer(this.#part({ start: open, end: heardTo }));
      // The segment may have ended meanwhile; its final text is newer.
      if (words === this.#words) {
        const { text } = heads[this.#model.heads[0]!] as TextResult;
        const [start, end] = [seconds(open, this.#model.rate), seconds(heardTo, this.#model.rate)];
        this.#deps.send({ type: "partial", segment: this.#answered.length, start, end, ...words.hear(text) });
      }
    } catch (error) {
      this.#deps.onPartialError(error);
    } finally {
      const took = this.#deps.now() - startedAt;
      this.#nextHearingAt = this.#deps.now() + took * (1 / hearingShare - 1);
      this.#hearing = false;
    }
  }
}
