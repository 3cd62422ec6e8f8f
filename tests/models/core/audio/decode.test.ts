import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { audioDecoder } from "../../../../models/core/audio/decode.ts";
import { audioSeconds } from "../../../../models/core/audio/duration.ts";
import { resample } from "../../../../models/core/audio/resample.ts";
import { UnusableAudio } from "../../../../models/core/audio/unusable-audio.ts";
import { ConfigurationError } from "../../../../models/core/errors.ts";
import { temporaryFolder } from "../build.ts";
import { chirp, chirpWav, riff, wav } from "./chirp.ts";

const fixtures = join(import.meta.dirname, "../../../fixtures/audio");
const file = (name: string) => readFileSync(join(fixtures, name));
const limits = { maxSeconds: 60 };
/** A PATH with one program, or with none. */
const pathWith = (...programs: string[]) => {
  const folder = temporaryFolder();
  for (const program of programs) symlinkSync(`/usr/bin/${program}`, join(folder, program));
  return { PATH: folder };
};
const decode = audioDecoder(pathWith(...["faad", "ffmpeg"].filter((program) => existsSync(`/usr/bin/${program}`))));

/** Cosine of the angle between a sound and the chirp at 48 kHz, where they fit best within 40 ms. */
function likeness(samples: Float32Array, rate: number): number {
  const [own, wanted] = [resample(samples, rate, 48_000), chirp(48_000)];
  let best = 0;
  for (let lag = -1920; lag <= 1920; lag++) {
    let [dot, a, b] = [0, 0, 0];
    for (let i = 2400; i < wanted.length - 2400; i += 17) {
      const x = own[i + lag] ?? 0;
      dot += x * wanted[i]!;
      a += x * x;
      b += wanted[i]! ** 2;
    }
    best = Math.max(best, dot / Math.sqrt(a * b));
  }
  return best;
}

async function refused(bytes: Uint8Array, of = limits): Promise<{ problem: string; expected: string; shown: string }> {
  try {
    await decode(bytes, of);
  } catch (error) {
    if (error instanceof UnusableAudio) return error;
    throw error;
  }
  throw new Error("expected a refusal, but the sound was decoded");
}

const withoutProgram = [
  "chirp.mp3",
  "chirp.flac",
  "chirp.ogg",
  "chirp.opus",
  "chirp.webm",
  "vorbis.webm",
  "opus.mp4",
  "mp3.mp4",
];
const withFaad = ["chirp.m4a", "chirp.aac", "chirp.mp4", "fragmented.mp4"];

describe("a sound file", () => {
  it.each(withoutProgram)("%s is decoded without any program", async (name) => {
    const { samples, rate } = await audioDecoder({})(file(name), limits);
    expect(samples.length / rate).toBeGreaterThan(1.49);
    expect(samples.length / rate).toBeLessThan(1.55);
    expect(likeness(samples, rate)).toBeGreaterThan(0.98);
  });

  it.skipIf(!existsSync("/usr/bin/faad")).each(withFaad)("%s is decoded by faad", async (name) => {
    const { samples, rate } = await audioDecoder(pathWith("faad"))(file(name), limits);
    expect(samples.length / rate).toBeLessThan(1.55);
    expect(likeness(samples, rate)).toBeGreaterThan(0.98);
  });

  it.skipIf(!existsSync("/usr/bin/ffmpeg")).each([...withFaad, "alac.m4a"])(
    "%s is decoded by ffmpeg where that is all there is",
    async (name) => {
      const { samples, rate } = await audioDecoder(pathWith("ffmpeg"))(file(name), limits);
      expect(likeness(samples, rate)).toBeGreaterThan(0.98);
    },
  );

  it("that needs a program which is not there says which", async () => {
    const error = await audioDecoder({})(file("chirp.m4a"), limits).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as ConfigurationError).diagnostic).toMatchObject({
      code: "audio-program",
      expected: "faad, or ffmpeg, on the PATH",
    });
    const alac = await audioDecoder({})(file("alac.m4a"), limits).catch((error: unknown) => error);
    expect(alac).toMatchObject({ problem: "the sound's codec is not read here" });
  });

  it("is not decoded by a program in a relative folder of the PATH", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "faad"), "#!/bin/sh\ntouch ran\n", { mode: 0o755 });
    await audioDecoder({ PATH: `.:${join("..", "x")}` })(file("chirp.m4a"), limits).catch(() => {});
    expect(existsSync(join(folder, "ran"))).toBe(false);
  });
});

describe("a WAVE file", () => {
  const exact = chirp(8000);

  it("is the mean of its channels", async () => {
    const { samples, rate } = await decode(wav([exact, new Float32Array(exact.length)], 8000), limits);
    expect(rate).toBe(8000);
    for (const i of [0, 1000, 5000]) expect(samples[i]).toBeCloseTo(exact[i]! / 2, 4);
  });

  it.each<[string, number, number, (buffer: Buffer, at: number, value: number) => void, number]>([
    ["8 bits", 1, 8, (buffer, at, value) => buffer.writeUInt8(Math.round(value * 127) + 128, at), 0.01],
    ["16 bits", 1, 16, (buffer, at, value) => buffer.writeInt16LE(Math.round(value * 32767), at), 1e-4],
    ["24 bits", 1, 24, (buffer, at, value) => buffer.writeIntLE(Math.round(value * 8_388_607), at, 3), 1e-6],
    ["32 bits", 1, 32, (buffer, at, value) => buffer.writeInt32LE(Math.round(value * 2_147_483_647), at), 1e-6],
    ["32-bit floats", 3, 32, (buffer, at, value) => buffer.writeFloatLE(value, at), 1e-7],
    ["64-bit floats", 3, 64, (buffer, at, value) => buffer.writeDoubleLE(value, at), 1e-7],
  ])("of %s is read", async (_, tag, bits, write, tolerance) => {
    const data = Buffer.alloc((exact.length * bits) / 8);
    exact.forEach((value, i) => write(data, (i * bits) / 8, value));
    const { samples } = await decode(riff(tag, 1, 8000, bits, data), limits);
    expect(Math.max(...samples.map((one, i) => Math.abs(one - exact[i]!)))).toBeLessThan(tolerance);
  });

  // Values of ITU-T G.711's tables: the loudest and quietest codes of both signs.
  it.each([
    [6, [0x2a, 0xaa, 0xd5, 0x55], [-32256, 32256, 8, -8]],
    [7, [0x00, 0x80, 0xff, 0x7f], [-32124, 32124, 0, 0]],
  ])("of G.711 (%i) is expanded by its table", async (tag, codes, values) => {
    const { samples } = await decode(riff(tag, 1, 8000, 8, Buffer.from(codes)), limits);
    expect([...samples].map((one) => Math.round(one * 32768) + 0)).toEqual(values);
  });

  it("from a pipe, which states no length, is the rest of the file", async () => {
    const bytes = wav([exact], 8000);
    for (const length of [0, 0xffff_ffff]) {
      bytes.writeUInt32LE(length, 40);
      expect((await decode(bytes, limits)).samples).toHaveLength(exact.length);
    }
  });

  it("of WAVE_FORMAT_EXTENSIBLE is read as what it extends", async () => {
    const plain = wav([exact], 8000);
    const format = Buffer.concat([
      plain.subarray(20, 36),
      Buffer.from([22, 0, 16, 0, 4, 0, 0, 0, 1, 0]),
      Buffer.alloc(14),
    ]);
    format.writeUInt16LE(0xfffe, 0);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(format.length);
    const bytes = Buffer.concat([plain.subarray(0, 16), size, format, plain.subarray(36)]);
    expect((await decode(bytes, limits)).samples).toHaveLength(exact.length);
  });

  it.each<[string, (bytes: Buffer) => Uint8Array, string]>([
    ["cut off", (bytes) => bytes.subarray(0, 5000), "the file ends before its sound does"],
    ["without samples", (bytes) => bytes.subarray(0, 36), "the WAVE file is damaged"],
    ["of an unknown kind", (bytes) => (bytes.writeUInt16LE(85, 20), bytes), "the WAVE file's samples are of a kind"],
    ["of 0 channels", (bytes) => (bytes.writeUInt16LE(0, 22), bytes), "the WAVE file's samples are of a kind"],
    ["at 1 Hz", (bytes) => (bytes.writeUInt32LE(1, 24), bytes), "the sound has a sample rate that is not read here"],
  ])("%s is refused", async (_, change, problem) => {
    expect((await refused(change(wav([exact], 8000)))).problem).toContain(problem);
  });

  it("with a NaN is refused", async () => {
    const data = Buffer.alloc(8);
    data.writeFloatLE(NaN, 4);
    expect((await refused(riff(3, 1, 8000, 32, data))).problem).toBe("the sound has samples that are no numbers");
  });
});

describe("what is hostile", () => {
  it.each([
    ["a picture", Buffer.from("89504e470d0a1a0a0000000d49484452", "hex")],
    ["a text", Buffer.from("#EXTM3U\n#EXT-X-TARGETDURATION:10\nfile:///etc/passwd\n")],
    ["nothing", Buffer.alloc(0)],
    ["zeros", Buffer.alloc(1000)],
  ])("is refused by its first bytes: %s", async (_, bytes) => {
    const error = await refused(bytes);
    expect(error.problem).toMatch(/no sound that is read here|is empty/);
    expect(error.expected).toContain("WAVE, FLAC, MP3");
  });

  it.each([...withoutProgram, ...withFaad])("is cut off: %s", async (name) => {
    if (withFaad.includes(name) && !existsSync("/usr/bin/faad") && !existsSync("/usr/bin/ffmpeg")) return;
    const whole = file(name);
    // A stream without a length of its own is what it is; it must not hang, crash or give more than there is.
    const made = await decode(whole.subarray(0, whole.length >> 1), limits).catch((error: unknown) => error);
    if (made instanceof Error) expect(made).toBeInstanceOf(UnusableAudio);
    else expect((made as { samples: Float32Array }).samples.length).toBeLessThan(60_000);
  });

  it.each(["chirp.flac", "chirp.mp3", "chirp.m4a", "mp3.mp4"])("%s without its end is refused", async (name) => {
    const whole = file(name);
    expect((await refused(whole.subarray(0, Math.floor(whole.length * 0.6)))).problem).toMatch(/ends before|damaged/);
  });

  it.each(withoutProgram)("has random bytes in it: %s", async (name) => {
    for (let seed = 1; seed <= 8; seed++) {
      const bytes = Buffer.from(file(name));
      for (let i = 0, at = seed * 97; i < 40; i++, at = (at * 48_271 + 11) % bytes.length)
        bytes[at] = (at * seed) & 0xff;
      const made = await decode(bytes, limits).catch((error: unknown) => error as Error);
      const usable = made instanceof Error ? made instanceof UnusableAudio : made.samples.every(Number.isFinite);
      expect(usable, String(made)).toBe(true);
    }
  });

  it("is longer than allowed, and no more than the limit is decoded", async () => {
    for (const name of [...withoutProgram, ...(existsSync("/usr/bin/faad") ? withFaad : [])])
      expect((await refused(file(name), { maxSeconds: 1 })).problem, name).toBe("the sound is too long");
    expect((await refused(chirpWav(), { maxSeconds: 1 })).problem).toBe("the sound is too long");
  });

  it("unpacks to hours: silence in a FLAC file of a few kilobytes", async () => {
    const bomb = flacSilence(2000);
    expect(bomb.length).toBeLessThan(40_000);
    const before = process.memoryUsage().arrayBuffers;
    expect((await refused(bomb, { maxSeconds: 60 })).problem).toMatch(/too long|damaged/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200e6);
  });

  it.each<[string, (bytes: Buffer, at: (table: string) => number) => void]>([
    ["stts", (bytes, at) => bytes.writeUInt32BE(0xffff_ffff, at("stts") + 8)],
    ["stts entries", (bytes, at) => bytes.writeUInt32BE(0xffff_ffff, at("stts") + 4)],
    ["stsz", (bytes, at) => bytes.writeUInt32BE(0xffff_fff0, at("stsz") + 8)],
    ["stsc", (bytes, at) => bytes.writeUInt32BE(0xffff_fff0, at("stsc") + 12)],
    ["stco entries", (bytes, at) => bytes.writeUInt32BE(0xffff_fff0, at("stco") + 4)],
  ])("tells of billions of samples in a few bytes: %s", async (_, change) => {
    const bytes = Buffer.from(file("opus.mp4"));
    change(bytes, (table) => bytes.indexOf(table, 0, "latin1") + 4);
    expect((await refused(bytes)).problem).toMatch(/damaged|too long/);
    await expect(audioSeconds(bytes)).rejects.toThrow(UnusableAudio);
  });

  it("has pictures and no sound", async () => {
    expect(await refused(file("silent.mp4"))).toMatchObject({ problem: "the file has no sound", shown: "none" });
  });
});

/** Frames of 65,535 samples of constant silence, 14 bytes each (RFC 9639): 1.5 s at 44.1 kHz. */
function flacSilence(frames: number): Buffer {
  const info = Buffer.alloc(42);
  info.write("fLaC", 0, "latin1");
  info.writeUInt8(0x80, 4);
  info.writeUInt8(34, 7);
  info.writeUInt16BE(65_535, 8);
  info.writeUInt16BE(65_535, 10);
  // 44,100 Hz, one channel, 16 bits, an unknown number of samples.
  info.writeUInt32BE((44_100 << 12) | (0 << 9) | (15 << 4), 18);
  return Buffer.concat([info, ...Array.from({ length: frames }, (_, i) => flacFrame(i))]);
}

function flacFrame(index: number): Buffer {
  const number = index < 128 ? [index] : [0xc0 | (index >> 6), 0x80 | (index & 63)];
  // Block size in 16 bits after the header (0111), 44.1 kHz (1001), one channel, 16 bits.
  const head = [0xff, 0xf8, 0x79, 0x08, ...number, 0xff, 0xfe];
  const framed = [...head, crc(head, 8, 0x07), 0x00, 0x00, 0x00];
  const check = crc(framed, 16, 0x8005);
  return Buffer.from([...framed, check >> 8, check & 0xff]);
}

function crc(bytes: readonly number[], bits: 8 | 16, polynomial: number): number {
  const [top, mask] = [1 << (bits - 1), (1 << bits) - 1];
  let value = 0;
  for (const byte of bytes) {
    value ^= byte << (bits - 8);
    for (let i = 0; i < 8; i++) value = (value & top) === 0 ? (value << 1) & mask : ((value << 1) ^ polynomial) & mask;
  }
  return value;
}
