import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { audioDecoder } from "../../../models/core/audio/decode.ts";
import { loudness } from "../../../models/core/audio/loudness.ts";
import { rowChecker, rowSchema } from "../../../models/core/manifest/rows.ts";
import { compileAudio } from "../../../models/core/preprocess/audio.ts";
import { audioStep } from "../../../models/core/preprocess/audio-schema.ts";
import { RowError } from "../../../models/core/row.ts";
import { chirp, wav } from "./audio/chirp.ts";
import { refusal } from "./build.ts";

const compile = (changes: object = {}) =>
  compileAudio(audioStep.parse({ kind: "audio", rate: 8000, ...changes }), { decodeAudio: audioDecoder({}) }, (path) =>
    path.join("."),
  );
const ramp = (length: number) => Float32Array.from({ length }, (_, i) => (i + 1) / 1024);
const sound = (length: number) => wav([ramp(length)], 8000);
const batch = async (changes: object, ...lengths: number[]) => {
  const step = compile(changes);
  return step.collate(await Promise.all(lengths.map(async (length) => step.prepare({ audio: sound(length) }))));
};

describe("samples", () => {
  it("of a batch are padded to the longest, with a mask and their lengths", async () => {
    const { samples, mask, length } = await batch({}, 2, 3);
    expect(samples!.dims).toEqual([2, 3]);
    expect([...samples!.data]).toEqual([1 / 1024, 2 / 1024, 0, 1 / 1024, 2 / 1024, 3 / 1024]);
    expect([...mask!.data]).toEqual([1, 1, 0, 1, 1, 1]);
    expect(length).toEqual({ data: Float64Array.of(2, 3), dims: [2] });
  });

  it("are padded or cut to a length where the step says so, and else refused", async () => {
    const cut = await batch({ padTo: 0.0005, longer: "cut" }, 2, 6);
    expect(cut["samples"]!.dims).toEqual([2, 4]);
    expect([...cut["mask"]!.data]).toEqual([1, 1, 0, 0, 1, 1, 1, 1]);
    await expect(batch({ padTo: 0.0005 }, 6)).rejects.toThrow(
      /audio: the sound is too long\n  expected: at most 0.0005 s/,
    );
    expect((await batch({ minSeconds: 0.001 }, 2))["samples"]!.dims).toEqual([1, 8]);
  });

  it("are resampled to the step's rate and standardised where it asks", async () => {
    const step = compile({ rate: 16_000 });
    const prepared = await step.prepare({ audio: wav([chirp(44_100)], 44_100) });
    if (prepared.kind !== "audio") throw new Error("no sound");
    expect(prepared.samples).toHaveLength(24_000);
    const wanted = chirp(16_000);
    for (const i of [4000, 12_000, 20_000]) expect(prepared.samples[i]).toBeCloseTo(wanted[i]!, 2);
    const { samples } = await batch({ standardize: true }, 100);
    const own = [...samples!.data];
    const mean = own.reduce((sum, one) => sum + one, 0) / 100;
    expect(mean).toBeCloseTo(0, 6);
    expect(own.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 100).toBeCloseTo(1, 2);
  });

  it("are the same from bytes, base64 and a data: URL, also a recorder's", async () => {
    const bytes = sound(50);
    const from = async (audio: unknown) => compile().prepare({ audio });
    const wanted = await from(bytes);
    const text = bytes.toString("base64");
    for (const audio of [text, `data:audio/wav;base64,${text}`, `data:video/webm;codecs=vp9,opus;base64,${text}`])
      expect(await from(audio)).toEqual(wanted);
  });
});

describe("features", () => {
  it("are bands by frames; shorter rows of a batch are filled with their own silence", async () => {
    const logMel = { fft: 64, hop: 32, mels: 4, scale: "log10" };
    const { features } = await batch({ logMel }, 64, 128);
    expect(features!.dims).toEqual([2, 4, 4]);
    const first = [...features!.data.subarray(0, 16)];
    expect(first.slice(2, 4)).toEqual(first.slice(6, 8));
    expect(first[2]).toBe(Math.min(...first));
    expect(compile({ logMel, padTo: 1 }).shapes).toEqual({
      samples: [8000],
      mask: [8000],
      length: [],
      features: [4, 250],
    });
    expect((await batch({ logMel, padTo: 1 }, 64))["features"]!.dims).toEqual([1, 4, 250]);
  });

  it("without bands in the step are none", async () => {
    expect(Object.keys(compile().shapes)).toEqual(["samples", "mask", "length"]);
    expect(Object.keys(await batch({}, 5))).toEqual(["samples", "mask", "length"]);
  });
});

describe("a sound that is refused", () => {
  it.each<[string, unknown, object, RegExp]>([
    ["none", undefined, {}, /the sound is missing/],
    ["a number", 5, {}, /not a sound/],
    ["no base64", "hello!", {}, /not base64/],
    ["another data: URL", "data:image/png;base64,AAAA", {}, /not a data: URL of a sound/],
    ["a picture", Buffer.from("89504e470d0a1a0a", "hex"), {}, /no sound that is read here/],
    ["too large", sound(1000), { maxBytes: 100 }, /too large\n  expected: at most 100 bytes\n  received: 2044 bytes/],
    ["too large as base64", sound(1000).toString("base64"), { maxBytes: 100 }, /too large/],
    ["too long", sound(1000), { maxSeconds: 0.1 }, /too long\n  expected: at most 0.1 s/],
    ["a forged decoded one", { pcm: [1, 2, 3] }, {}, /not a sound/],
  ])("%s", async (_, audio, changes, message) => {
    const error = await refusal(() => compile(changes).prepare(audio === undefined ? {} : { audio }));
    expect(error).toBeInstanceOf(RowError);
    expect((error as RowError).field).toBe("audio");
    expect(error.message).toMatch(message);
  });
});

describe("a step that cannot work", () => {
  it.each<[object, string]>([
    [{ padTo: 1, minSeconds: 2 }, "audio-length"],
    [{ longer: "cut" }, "audio-length"],
    [{ logMel: { high: 5000 } }, "audio-bands"],
    [{ logMel: { low: 3000, high: 2000 } }, "audio-bands"],
  ])("%j is refused when the manifest is read", async (changes, code) => {
    expect((await refusal(() => compile(changes))).code).toBe(code);
  });
});

describe("a row", () => {
  const manifest = { preprocess: { clip: audioStep.parse({ kind: "audio", maxSeconds: 30 }) } };

  it("has a text for its sound, which the schema describes", () => {
    expect(rowSchema(manifest).safeParse({ audio: "AAAA" }).success).toBe(true);
    expect(rowSchema(manifest).safeParse({}).success).toBe(false);
    expect(rowChecker(manifest)({ audio: "AAAA" })).toBe(true);
    expect(rowChecker(manifest)({ audio: { pcm: [1] } })).toBe(false);
    expect(JSON.stringify(rowSchema(manifest).toJSONSchema())).toContain("sound file of at most 30 s");
  });
});

describe("loudness", () => {
  it("is the level in dB and the share of silent windows", () => {
    const half = new Float32Array(1600);
    half.subarray(0, 800).fill(1);
    const { level, silence } = loudness(half, 8000);
    expect(level).toBeCloseTo(-3.01, 2);
    expect(silence).toBe(0.5);
    expect(loudness(new Float32Array(0), 8000)).toEqual({ level: -120, silence: 1 });
    expect(loudness(new Float32Array(100), 8000)).toEqual({ level: -120, silence: 1 });
  });
});

describe("a compressed file", () => {
  it("goes through the step like any other", async () => {
    const audio = readFileSync(join(import.meta.dirname, "../../fixtures/audio/chirp.opus"));
    const prepared = await compile({ rate: 16_000 }).prepare({ audio: audio.toString("base64") });
    expect(prepared.kind === "audio" && prepared.samples.length).toBeGreaterThan(24_000);
  });
});
