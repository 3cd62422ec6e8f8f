import { powerSpectrum } from "./fourier.ts";
import { melBank } from "./mel-bank.ts";

export type LogMelOptions = {
  fft: number;
  hop: number;
  mels: number;
  /** Hz. */
  low: number;
  /** Hz. */
  high: number;
  /** `whisper`: log10, at most 8 below the clip's maximum, then (x + 4) / 4. `log10` and `ln`: the logarithm alone. */
  scale: "whisper" | "log10" | "ln";
};

const floor = 1e-10;
/** What Whisper keeps below the loudest band of a clip, as a power of ten. */
const range = 8;

/** Frames of a sound: one for each hop. */
export const framesOf = (samples: number, { hop }: Pick<LogMelOptions, "hop">): number => Math.floor(samples / hop);

/**
 * The log-mel spectrogram of openai/whisper's `log_mel_spectrogram`: frames of `fft` samples every `hop`, their middles
 * at multiples of it (the sound is reflected at its ends), a periodic Hann window, |rfft|², Slaney's bands, a logarithm.
 * The last frame is dropped, so that there is one for each hop.
 *
 * @returns a function: samples → [mels, frames], row-major
 */
export function logMel(rate: number, options: LogMelOptions): (samples: Float32Array) => Float32Array {
  const { fft, hop, mels, low, high, scale } = options;
  const window = Float64Array.from({ length: fft }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / fft));
  const bank = melBank(rate, fft, mels, low, high);
  const spectrum = powerSpectrum(fft);
  return (samples) => {
    const frames = framesOf(samples.length, options);
    const out = new Float32Array(mels * frames);
    const frame = new Float64Array(fft);
    const power = new Float64Array(Math.floor(fft / 2) + 1);
    const half = Math.floor(fft / 2);
    let loudest = -Infinity;
    for (let t = 0; t < frames; t++) {
      for (let i = 0; i < fft; i++) frame[i] = window[i]! * samples[reflected(t * hop + i - half, samples.length)]!;
      spectrum(frame, power);
      for (let band = 0; band < mels; band++) {
        const { from, weights } = bank[band]!;
        let sum = 0;
        for (let i = 0; i < weights.length; i++) sum += weights[i]! * power[from + i]!;
        const value = scale === "ln" ? Math.log(Math.max(sum, floor)) : Math.log10(Math.max(sum, floor));
        out[band * frames + t] = value;
        loudest = Math.max(loudest, value);
      }
    }
    if (scale === "whisper") for (let i = 0; i < out.length; i++) out[i] = (Math.max(out[i]!, loudest - range) + 4) / 4;
    return out;
  };
}

/** The sample at a place before the first or after the last one: mirrored there, over and over for a short sound. */
function reflected(at: number, length: number): number {
  if (at >= 0 && at < length) return at;
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const place = ((at % period) + period) % period;
  return place < length ? place : period - place;
}
