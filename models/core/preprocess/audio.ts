import type { AudioDecoder } from "../audio/decode.ts";
import { framesOf, logMel } from "../audio/log-mel.ts";
import { resample } from "../audio/resample.ts";
import { UnusableAudio } from "../audio/unusable-audio.ts";
import { ConfigurationError } from "../errors.ts";
import { fieldOf, RowError, type Row } from "../row.ts";
import type { NumberTensor } from "../tensors.ts";
import { AlteredAudio } from "./altered-audio.ts";
import type { AudioStep } from "./audio-schema.ts";
import type { CompiledStep, Prepared, StepFiles, StepPlace } from "./compiled.ts";
import { isDecodedSound } from "./decoded-sound.ts";
import { encodedBytes } from "./encoded-bytes.ts";

type Sound = Extract<Prepared, { kind: "audio" }>;

/** What counts as one unit of a row's length: 20 ms, about a token of speech models. */
const unitSeconds = 0.02;

/**
 * Encoded sound → samples of one channel at the step's rate, padded, and their spectrogram where the step declares one.
 *
 * @throws ConfigurationError where bands or lengths cannot be as declared
 */
export function compileAudio(step: AudioStep, files: StepFiles, place: StepPlace): CompiledStep {
  const decode = files.decodeAudio!;
  const fixed = step.padTo === "longest" ? null : Math.round(step.padTo * step.rate);
  const least = Math.round(step.minSeconds * step.rate);
  if (fixed !== null && least > fixed)
    throw new ConfigurationError({
      code: "audio-length",
      place: place(["minSeconds"]),
      problem: "the shortest sound is longer than what the rows are padded to",
      expected: `at most the ${step.padTo} s of padTo`,
      received: `${step.minSeconds} s`,
    });
  if (fixed === null && step.longer === "cut")
    throw new ConfigurationError({
      code: "audio-length",
      place: place(["longer"]),
      problem: "nothing says where a longer sound is cut",
      expected: "seconds in `padTo`",
      received: "padTo: longest",
      example: "padTo: 30",
    });
  const mel = step.logMel === undefined ? null : { ...step.logMel, high: step.logMel.high ?? step.rate / 2 };
  if (mel !== null && (mel.high > step.rate / 2 || mel.low >= mel.high))
    throw new ConfigurationError({
      code: "audio-bands",
      place: place(["logMel", "high"]),
      problem: "the bands are not within what the sound has",
      expected: `low below high, and high at most ${step.rate / 2} Hz, half the rate`,
      received: `${mel.low} to ${mel.high} Hz`,
    });
  const spectrogram = mel === null ? null : logMel(step.rate, mel);
  const frames = mel === null ? 0 : fixed === null ? "frames" : framesOf(fixed, mel);

  return {
    shapes: {
      samples: [fixed ?? "length"],
      mask: [fixed ?? "length"],
      length: [],
      ...(mel === null ? {} : { features: [mel.mels, frames] }),
    },
    length: (prepared) => Math.max(1, Math.ceil((prepared as Sound).samples.length / (step.rate * unitSeconds))),
    async prepare(row) {
      const read = await soundOf(row, step, decode);
      const whole = shaped(read, fixed, least, step);
      const samples = step.standardize ? standardized(whole) : whole;
      if (spectrogram === null) return { kind: "audio", sound: read, samples, features: null };
      // Padded before the spectrogram: models were trained on the bands of silence, not on zeros.
      const values = spectrogram(fixed === null ? samples : padded(samples, fixed));
      return { kind: "audio", sound: read, samples, features: { values, frames: values.length / mel!.mels } };
    },
    collate: (rows) => collate(rows as readonly Sound[], fixed, mel?.mels ?? null),
  };
}

/**
 * The sound in a row's field as the step sees it before all else: one channel, at its rate.
 *
 * @throws RowError
 */
export async function soundOf(row: Row, step: AudioStep, decode: AudioDecoder): Promise<Float32Array> {
  const value = fieldOf(row, step.field);
  const altered = value instanceof AlteredAudio ? value : null;
  const held = altered === null ? value : altered.original;
  if (isDecodedSound(held)) return altered === null ? held.pcm : altered.alter(held.pcm);
  const bytes = encodedBytes(held, {
    field: step.field,
    what: "sound",
    // Recorders and cameras write sound into files of films.
    media: ["audio", "video"],
    maxBytes: step.maxBytes,
    unusable: (problem, expected, received, shown) =>
      new RowError(step.field, problem, expected, received, shown === undefined ? {} : { shown }),
  });
  try {
    const { samples, rate } = await decode(bytes, { maxSeconds: step.maxSeconds });
    const own = resample(samples, rate, step.rate);
    return altered === null ? own : altered.alter(own);
  } catch (error) {
    if (!(error instanceof UnusableAudio)) throw error;
    throw new RowError(step.field, error.problem, error.expected, undefined, { shown: error.shown, cause: error });
  }
}

/** As long as the step asks for at least, and at most. */
function shaped(samples: Float32Array, fixed: number | null, least: number, step: AudioStep): Float32Array {
  if (fixed !== null && samples.length > fixed) {
    if (step.longer === "cut") return samples.subarray(0, fixed);
    throw new RowError(step.field, "the sound is too long", `at most ${step.padTo} s`, undefined, {
      shown: `${(samples.length / step.rate).toFixed(2)} s`,
    });
  }
  return samples.length < least ? padded(samples, least) : samples;
}

function padded(samples: Float32Array, length: number): Float32Array {
  if (samples.length === length) return samples;
  const out = new Float32Array(length);
  out.set(samples);
  return out;
}

/** As transformers' Wav2Vec2FeatureExtractor: 1e-7 beside the variance. */
function standardized(samples: Float32Array): Float32Array {
  let mean = 0;
  for (const one of samples) mean += one / samples.length;
  let variance = 0;
  for (const one of samples) variance += (one - mean) ** 2 / samples.length;
  const scale = 1 / Math.sqrt(variance + 1e-7);
  return samples.map((one) => (one - mean) * scale);
}

function collate(rows: readonly Sound[], fixed: number | null, mels: number | null): Record<string, NumberTensor> {
  const width = fixed ?? Math.max(...rows.map(({ samples }) => samples.length));
  const samples = new Float32Array(rows.length * width);
  const mask = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    samples.set(row.samples, i * width);
    mask.fill(1, i * width, i * width + row.samples.length);
  });
  const dims = [rows.length, width];
  return {
    samples: { data: samples, dims },
    mask: { data: mask, dims },
    length: { data: Float64Array.from(rows, (row) => row.samples.length), dims: [rows.length] },
    ...(mels === null ? {} : { features: stackFeatures(rows, mels) }),
  };
}

/** [batch, mels, frames]; frames that a row does not have are the lowest value of its own. */
function stackFeatures(rows: readonly Sound[], mels: number): NumberTensor {
  const frames = Math.max(...rows.map(({ features }) => features!.frames));
  const data = new Float32Array(rows.length * mels * frames);
  rows.forEach(({ features }, i) => {
    const { values, frames: own } = features!;
    const silence = own === frames ? 0 : values.reduce((low, value) => Math.min(low, value), Infinity);
    for (let band = 0; band < mels; band++) {
      const at = (i * mels + band) * frames;
      data.set(values.subarray(band * own, (band + 1) * own), at);
      data.fill(silence, at + own, at + frames);
    }
  });
  return { data, dims: [rows.length, mels, frames] };
}
