import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resample, Resampler } from "../../../../models/core/audio/resample.ts";
import { UnusableAudio } from "../../../../models/core/audio/unusable-audio.ts";

const tone = (rate: number, hz: number, seconds = 1) =>
  Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));

/** Level of what is left of a tone, in dB below it; the ends are left out. */
function levelAfter(from: number, to: number, hz: number): number {
  const made = resample(tone(from, hz), from, to).subarray(1000, to - 1000);
  const power = made.reduce((sum, value) => sum + value ** 2, 0) / made.length;
  return 10 * Math.log10(2 * power);
}

describe("another sample rate", () => {
  it.each([
    [44_100, 16_000],
    [48_000, 16_000],
    [22_050, 16_000],
    [96_000, 16_000],
    [11_025, 16_000],
    [44_100, 8_000],
  ])("%i → %i Hz keeps what is well below both and leaves nothing of what would alias", (from, to) => {
    const nyquist = Math.min(from, to) / 2;
    for (const share of [0.05, 0.5, 0.875])
      expect(Math.abs(levelAfter(from, to, Math.round(nyquist * share)))).toBeLessThan(0.1);
    if (from > to)
      for (const hz of [nyquist * 1.0625, nyquist * 1.3])
        expect(levelAfter(from, to, Math.round(hz))).toBeLessThan(-75);
  });

  it("places every sample where it was", () => {
    const slow = resample(tone(48_000, 440), 48_000, 16_000);
    const wanted = tone(16_000, 440);
    for (let i = 200; i < 15_800; i++) expect(Math.abs(slow[i]! - wanted[i]!)).toBeLessThan(1e-3);
  });

  it("keeps a constant, to the sample", () => {
    const made = resample(new Float32Array(20_000).fill(0.5), 44_100, 16_000);
    for (let i = 200; i < made.length - 200; i++) expect(made[i]).toBeCloseTo(0.5, 6);
  });

  it("gives the same numbers however the sound is cut", () => {
    const sound = tone(44_100, 1000).subarray(0, 9000);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 30 }),
        fc.constantFrom([44_100, 16_000], [8_000, 16_000], [48_000, 16_000], [16_000, 16_000]),
        (sizes, [from, to]) => {
          const resampler = new Resampler(from!, to!);
          const parts: number[] = [];
          let at = 0;
          for (let k = 0; at < sound.length; k++) {
            const next = Math.min(sound.length, at + sizes[k % sizes.length]!);
            parts.push(...resampler.push(sound.slice(at, next)));
            at = next;
          }
          parts.push(...resampler.flush());
          expect(parts).toEqual([...resample(sound, from!, to!)]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("of nothing, or of less than the filter, is as long as it must be", () => {
    expect(resample(new Float32Array(0), 44_100, 16_000)).toHaveLength(0);
    expect(resample(new Float32Array(1), 44_100, 16_000)).toHaveLength(1);
    expect(resample(new Float32Array(100), 8_000, 16_000)).toHaveLength(200);
  });

  it("with a ratio that would take a table of gigabytes is refused", () => {
    expect(() => resample(new Float32Array(10), 191_999, 16_000)).toThrow(UnusableAudio);
  });
});
