import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { audioDecoder } from "../../../../models/core/audio/decode.ts";
import { powerSpectrum } from "../../../../models/core/audio/fourier.ts";
import { logMel } from "../../../../models/core/audio/log-mel.ts";
import { melBank } from "../../../../models/core/audio/mel-bank.ts";
import { sharedData, where } from "./shared-speech.ts";

const whisper = { fft: 400, hop: 160, mels: 80, low: 0, high: 8000, scale: "whisper" as const };

type Reference = {
  bank80_rowsum: number[];
  jfk: { mean: number; min: number; max: number; frames: Record<string, number[]> };
  jfk128: { mean: number };
};

describe("the power spectrum", () => {
  it.each([16, 25, 97, 256, 400, 480])("of %i samples is the definition's", (size) => {
    const frame = Float64Array.from({ length: size }, (_, i) => Math.sin(i * i) + 0.1 * i);
    const power = new Float64Array(Math.floor(size / 2) + 1);
    powerSpectrum(size)(frame, power);
    for (const [k, value] of power.entries()) {
      let [re, im] = [0, 0];
      frame.forEach((x, i) => {
        re += x * Math.cos((2 * Math.PI * k * i) / size);
        im -= x * Math.sin((2 * Math.PI * k * i) / size);
      });
      expect(Math.abs(value - re * re - im * im)).toBeLessThan(1e-9 * (1 + value));
    }
  });
});

describe("the log-mel spectrogram", () => {
  it.skipIf(sharedData === null)(`is that of Whisper ${where}`, async () => {
    const { mel } = JSON.parse(readFileSync(join(sharedData!, "reference/sequence.json"), "utf8")) as {
      mel: Reference;
    };
    const sums = melBank(16_000, 400, 80, 0, 8000).map(({ weights }) => weights.reduce((sum, one) => sum + one, 0));
    sums.forEach((sum, band) => expect(Math.abs(sum - mel.bank80_rowsum[band]!)).toBeLessThan(1e-8));
    const { samples } = await audioDecoder({})(readFileSync(join(sharedData!, "speech/wav/jfk.wav")), {
      maxSeconds: 60,
    });
    const padded = new Float32Array(480_000);
    padded.set(samples);
    const made = logMel(16_000, whisper)(padded);
    expect(made).toHaveLength(80 * 3000);
    for (const [frame, values] of Object.entries(mel.jfk.frames))
      for (const [k, value] of values.entries())
        expect(Math.abs(made[8 * k * 3000 + Number(frame)]! - value)).toBeLessThan(1e-5);
    const mean = (all: Float32Array) => all.reduce((sum, one) => sum + one, 0) / all.length;
    expect(mean(made)).toBeCloseTo(mel.jfk.mean, 6);
    expect(made.reduce((low, one) => Math.min(low, one))).toBeCloseTo(mel.jfk.min, 6);
    expect(made.reduce((high, one) => Math.max(high, one))).toBeCloseTo(mel.jfk.max, 6);
    expect(mean(logMel(16_000, { ...whisper, mels: 128 })(padded))).toBeCloseTo(mel.jfk128.mean, 6);
  });

  it("of silence is the floor, and of a tone is highest in its band", () => {
    const silence = logMel(16_000, { ...whisper, scale: "log10" })(new Float32Array(1600));
    expect([...new Set(silence)]).toEqual([-10]);
    const tone = Float32Array.from({ length: 16_000 }, (_, i) => Math.sin((2 * Math.PI * 1000 * i) / 16_000));
    const made = logMel(16_000, { ...whisper, scale: "ln" })(tone);
    const middle = Array.from({ length: 80 }, (_, band) => made[band * 100 + 50]!);
    const loudest = middle.indexOf(Math.max(...middle));
    const { from, weights } = melBank(16_000, 400, 80, 0, 8000)[loudest]!;
    // 1000 Hz is bin 25.
    expect(25).toBeGreaterThanOrEqual(from);
    expect(25).toBeLessThan(from + weights.length);
  });

  it("of a sound shorter than a frame mirrors it, and of none is empty", () => {
    expect(logMel(16_000, whisper)(new Float32Array(161).fill(0.1)).every(Number.isFinite)).toBe(true);
    expect(logMel(16_000, whisper)(new Float32Array(0))).toHaveLength(0);
  });
});
