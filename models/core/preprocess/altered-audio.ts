/**
 * An audio field whose sound is altered after it was decoded and resampled, and before all else that an audio step does.
 * Only an evaluation makes such fields; no request can.
 */
export class AlteredAudio {
  /** What the field held: bytes, base64 or a data: URL. */
  readonly original: unknown;
  readonly alter: (samples: Float32Array) => Float32Array;

  constructor(original: unknown, alter: AlteredAudio["alter"]) {
    this.original = original;
    this.alter = alter;
  }
}
