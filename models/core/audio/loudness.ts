/** Windows of 20 ms whose level is lower count as silence, in dB below full scale. */
const silentBelow = -50;
const windowSeconds = 0.02;
/** The level of digital silence, which has none. */
const lowest = -120;

const decibels = (power: number) => Math.max(lowest, 10 * Math.log10(power));

/**
 * @returns `level`: of the whole sound, root mean square in dB below full scale (a full square wave is 0), at least -120.
 *   `silence`: share of its windows that are silent; 1 for no sound
 */
export function loudness(samples: Float32Array, rate: number): { level: number; silence: number } {
  const width = Math.max(1, Math.round(rate * windowSeconds));
  let total = 0;
  let silent = 0;
  let windows = 0;
  for (let from = 0; from < samples.length; from += width) {
    const to = Math.min(from + width, samples.length);
    let sum = 0;
    for (let i = from; i < to; i++) sum += samples[i]! ** 2;
    total += sum;
    windows += 1;
    if (decibels(sum / (to - from)) < silentBelow) silent += 1;
  }
  return windows === 0
    ? { level: lowest, silence: 1 }
    : { level: decibels(total / samples.length), silence: silent / windows };
}
