/** Slaney's Auditory Toolbox (1998), as librosa and Whisper have it: linear below 1 kHz, logarithmic above. */
const linearHz = 200 / 3;
const breakHz = 1000;
const logStep = Math.log(6.4) / 27;

const melOf = (hz: number) => (hz < breakHz ? hz / linearHz : breakHz / linearHz + Math.log(hz / breakHz) / logStep);
const hzOf = (mel: number) =>
  mel < breakHz / linearHz ? mel * linearHz : breakHz * Math.exp(logStep * (mel - breakHz / linearHz));

/** A triangle over the bins from `from` on. */
export type MelBand = { from: number; weights: Float64Array };

/**
 * Triangular bands of equal width in mel, each with an area of 1 in Hz (`librosa.filters.mel` with its defaults).
 *
 * @param high upper end in Hz, at most half the rate
 */
export function melBank(rate: number, fft: number, mels: number, low: number, high: number): MelBand[] {
  const [lowest, highest] = [melOf(low), melOf(high)];
  const corners = Array.from({ length: mels + 2 }, (_, i) => hzOf(lowest + ((highest - lowest) * i) / (mels + 1)));
  const bins = Math.floor(fft / 2) + 1;
  return Array.from({ length: mels }, (_, band) => {
    const [left, centre, right] = [corners[band]!, corners[band + 1]!, corners[band + 2]!];
    const weights = Float64Array.from({ length: bins }, (_, bin) => {
      const hz = (bin * rate) / fft;
      return (
        (Math.max(0, Math.min((hz - left) / (centre - left), (right - hz) / (right - centre))) * 2) / (right - left)
      );
    });
    const from = Math.max(
      0,
      weights.findIndex((weight) => weight > 0),
    );
    const to = weights.findLastIndex((weight) => weight > 0) + 1;
    return { from, weights: weights.slice(from, Math.max(from, to)) };
  });
}
