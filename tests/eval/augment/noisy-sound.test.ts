import { describe, expect, it } from "vitest";
import { withCopies } from "../../../eval/augment/copies.ts";
import { noisySound } from "../../../eval/augment/noisy-sound.ts";
import { readDataset } from "../../../eval/dataset/read.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { augmentationWords } from "../../../eval/dataset/augmentation-words.ts";
import { isWeaker } from "../../../eval/dataset/weaker-augmentation.ts";
import { augmentation } from "../../../models/core/manifest/augmentations.ts";
import { manifest } from "../../../models/core/manifest/manifest.ts";
import { audioDecoder } from "../../../models/core/audio/decode.ts";
import { soundOf } from "../../../models/core/preprocess/audio.ts";
import type { AudioStep } from "../../../models/core/preprocess/audio-schema.ts";
import { chirp, wav } from "../../models/core/audio/chirp.ts";
import { digitsManifest } from "../../models/core/speech-model.ts";
import { folderWith, offlineDeps } from "../dataset/build.ts";

const power = (samples: Float32Array) => samples.reduce((sum, one) => sum + one ** 2, 0) / samples.length;
const minus = (a: Float32Array, b: Float32Array) => a.map((one, i) => one - b[i]!);

describe("noise in a sound", () => {
  it.each([30, 10, 0, -5])("is %i dB below it", (snr) => {
    const sound = chirp(16_000);
    const noise = minus(noisySound(sound, snr, new RandomStream(1)), sound);
    expect(10 * Math.log10(power(sound) / power(noise))).toBeCloseTo(snr, 0);
    // White: neighbours have nothing to do with each other.
    let together = 0;
    for (let i = 1; i < noise.length; i++) together += noise[i]! * noise[i - 1]!;
    expect(Math.abs(together / noise.length / power(noise))).toBeLessThan(0.03);
  });

  it("is the same for the same seed, and none in silence", () => {
    const sound = chirp(8000);
    const made = (seed: number) => noisySound(sound, 10, new RandomStream(seed));
    expect(made(3)).toEqual(made(3));
    expect(made(3)).not.toEqual(made(4));
    expect(noisySound(new Float32Array(9), 10, new RandomStream(1))).toEqual(new Float32Array(9));
  });
});

describe("a declared augmentation", () => {
  const noisy = { name: "busy", kind: "audio-noise" as const, snrDb: 10, seed: 5 };

  it("gives copies of rows whose sound is noisy when it is read", async () => {
    const bytes = new Uint8Array(wav([chirp(8000)], 8000));
    const folder = folderWith({
      "rows.tsv": "file\ttranscript\na.wav\tone\nb.wav\ttwo\n",
      "a.wav": bytes,
      "b.wav": bytes,
    });
    const model = manifest.parse(
      digitsManifest({
        dataset: {
          id: "spoken",
          files: [{ path: "rows.tsv", contents: { audio: { column: "file", folder: "." } } }],
          labels: { words: { field: "transcript" } },
          augmentations: [noisy],
        },
      }),
    );
    const { rows, copies } = withCopies(await readDataset(model, folder, offlineDeps("unused")), model);
    expect(copies!.rows.map(({ slices, labels }) => [slices["augmentation"], labels["words"]])).toEqual(
      rows.map(({ labels }) => ["busy", labels["words"]]),
    );
    const heard = (row: Record<string, unknown>) =>
      soundOf(row, model.preprocess["audio"] as AudioStep, audioDecoder({}));
    const [plain, first, second] = [
      await heard(rows[0]!.row),
      await heard(copies!.rows[0]!.row),
      await heard(copies!.rows[1]!.row),
    ];
    expect(10 * Math.log10(power(plain) / power(minus(first, plain)))).toBeCloseTo(10, 0);
    expect(first).not.toEqual(second);
    expect(await heard(copies!.rows[0]!.row)).toEqual(first);
  });

  it("is told in words, and less noise asks less", () => {
    const one = augmentation.parse(noisy);
    expect(augmentationWords(one)).toBe("audio: white noise 10 dB below the sound");
    expect(isWeaker(one, augmentation.parse({ ...noisy, snrDb: 20 }))).toBe(true);
    expect(isWeaker(one, augmentation.parse({ ...noisy, snrDb: 5 }))).toBe(false);
  });

  it("of a field that no audio step reads is refused", () => {
    const dataset = { id: "x", files: [{ path: "x.csv" }], labels: {}, augmentations: [{ ...noisy, field: "clip" }] };
    expect(() => manifest.parse(digitsManifest({ dataset }))).toThrow(/no audio step reads the field/);
    const silent = { preprocess: { audio: { kind: "tensor" as const, field: "x" } }, dataset };
    expect(() => manifest.parse(digitsManifest(silent))).toThrow(/audio-noise alters a sound, and no step/);
  });
});
