/**
 * A field that holds a sound which is decoded already: a part of a longer one, or what a stream brought. Plain data, so
 * that it may cross to another thread; no request can make one, because JSON has no typed arrays.
 */
export type DecodedSound = {
  /** One channel at the rate of the step that reads it. */
  pcm: Float32Array;
};

export const isDecodedSound = (value: unknown): value is DecodedSound =>
  typeof value === "object" && value !== null && "pcm" in value && value.pcm instanceof Float32Array;
