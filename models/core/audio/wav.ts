import { assertLength, assertShape, MonoTrack, type AudioLimits, type MonoAudio } from "./mono-track.ts";
import { UnusableAudio } from "./unusable-audio.ts";

/** Frames that are converted at once. */
const frames = 1 << 16;

type Sample = (view: DataView, at: number) => number;

/** ITU-T G.711, the µ-law of North American telephones. */
const muLaw = Float32Array.from({ length: 256 }, (_, byte) => {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84;
  return ((code & 0x80) === 0 ? magnitude : -magnitude) / 32768;
});

/** ITU-T G.711, the A-law of the others. */
const aLaw = Float32Array.from({ length: 256 }, (_, byte) => {
  const code = byte ^ 0x55;
  const [segment, step] = [(code & 0x70) >> 4, (code & 0x0f) << 4];
  const magnitude = segment === 0 ? step + 8 : (step + 0x108) << (segment - 1);
  return ((code & 0x80) === 0 ? -magnitude : magnitude) / 32768;
});

/** Format tag and bits → how a sample is read. */
const samples: Readonly<Record<string, Sample>> = {
  "1/8": (view, at) => (view.getUint8(at) - 128) / 128,
  "1/16": (view, at) => view.getInt16(at, true) / 32768,
  "1/24": (view, at) => (view.getUint16(at, true) | (view.getInt8(at + 2) << 16)) / 8_388_608,
  "1/32": (view, at) => view.getInt32(at, true) / 2_147_483_648,
  "3/32": (view, at) => view.getFloat32(at, true),
  "3/64": (view, at) => view.getFloat64(at, true),
  "6/8": (view, at) => aLaw[view.getUint8(at)]!,
  "7/8": (view, at) => muLaw[view.getUint8(at)]!,
};

const extensible = 0xfffe;

type Format = { tag: number; channels: number; rate: number; bits: number; width: number };
type Layout = { format: Format; from: number; size: number };

/**
 * A WAVE file, without any library: PCM of 8 to 32 bits, floats, A-law and µ-law, also as WAVE_FORMAT_EXTENSIBLE. A
 * length of 0 or 0xFFFFFFFF, as programs write into a pipe, is the rest of the file.
 *
 * @throws UnusableAudio for any other encoding, and for a file that ends before its sound does
 */
export function decodeWav(bytes: Uint8Array, limits: AudioLimits): MonoAudio {
  const { format, from, size } = layoutOf(bytes);
  return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), from, size, format, limits);
}

/** @throws UnusableAudio as `decodeWav` */
export function wavLength(bytes: Uint8Array): { frames: number; rate: number } {
  const { format, size } = layoutOf(bytes);
  assertShape(format.channels, format.rate);
  return { frames: Math.floor(size / Math.max(1, format.width)), rate: format.rate };
}

function layoutOf(bytes: Uint8Array): Layout {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: Format | null = null;
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    const size = view.getUint32(at + 4, true);
    const from = at + 8;
    if (name === "fmt " && size >= 16 && from + size <= bytes.length) {
      const own = view.getUint16(from, true);
      format = {
        tag: own === extensible && size >= 26 ? view.getUint16(from + 24, true) : own,
        channels: view.getUint16(from + 2, true),
        rate: view.getUint32(from + 4, true),
        width: view.getUint16(from + 12, true),
        bits: view.getUint16(from + 14, true),
      };
    }
    if (name === "data") {
      if (format === null) throw broken("its data comes before its format");
      const piped = size === 0 || size === 0xffff_ffff;
      if (!piped && from + size > bytes.length)
        throw new UnusableAudio(
          "the file ends before its sound does",
          `${size} bytes of samples`,
          `${bytes.length - from}: was it cut off?`,
        );
      return { format, from, size: piped ? bytes.length - from : size };
    }
    at = from + size + (size % 2);
  }
  throw broken(format === null ? "it has no format" : "it has no samples");
}

function read(
  view: DataView,
  from: number,
  size: number,
  { tag, channels, rate, bits, width }: Format,
  limits: AudioLimits,
): MonoAudio {
  const sample = samples[`${tag}/${bits}`];
  if (sample === undefined || width !== (channels * bits) / 8)
    throw new UnusableAudio(
      "the WAVE file's samples are of a kind that is not read here",
      "PCM of 8, 16, 24 or 32 bits, floats, A-law or µ-law",
      `format ${tag} of ${bits} bits`,
    );
  assertShape(channels, rate);
  const count = Math.floor(size / width);
  assertLength(count / rate, limits);
  const track = new MonoTrack(limits);
  for (let start = 0; start < count; start += frames) {
    const length = Math.min(frames, count - start);
    const planes = Array.from({ length: channels }, () => new Float32Array(length));
    for (let i = 0; i < length; i++)
      for (let c = 0; c < channels; c++) planes[c]![i] = sample(view, from + (start + i) * width + (c * bits) / 8);
    track.add(planes, rate);
  }
  return track.finish();
}

const broken = (why: string) => new UnusableAudio("the WAVE file is damaged", "a whole RIFF WAVE file", why);
