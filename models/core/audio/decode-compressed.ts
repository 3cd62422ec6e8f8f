import { audioLibrary } from "./audio-library.ts";
import { MonoTrack, type AudioLimits, type MonoAudio } from "./mono-track.ts";
import { UnusableAudio } from "./unusable-audio.ts";

type Decoded = { channelData: Float32Array[]; sampleRate: number; errors: readonly { message: string }[] };
type ChunkDecoder = {
  ready: Promise<void>;
  decode: (bytes: Uint8Array) => Decoded | Promise<Decoded>;
  flush?: () => Promise<Decoded>;
  free: () => void;
};

/**
 * Bytes that are given to a decoder at once. Silence packs so tightly that a few bytes may unpack to a second, and
 * nothing can stop a decoder within a chunk.
 */
const chunkBytes = 4096;

/** Decodes chunk by chunk until the end, or until the limit is passed. */
async function inChunks(
  decoder: ChunkDecoder,
  bytes: Uint8Array,
  limits: AudioLimits,
  damaged: (error: string) => UnusableAudio | null,
): Promise<MonoTrack> {
  await decoder.ready;
  try {
    const track = new MonoTrack(limits);
    const take = ({ channelData, sampleRate, errors }: Decoded) => {
      const problem = errors[0] === undefined ? null : damaged(errors[0].message);
      if (problem !== null) throw problem;
      track.add(channelData, sampleRate);
    };
    for (let at = 0; at < bytes.length; at += chunkBytes)
      take(await decoder.decode(bytes.subarray(at, at + chunkBytes)));
    if (decoder.flush !== undefined) take(await decoder.flush());
    return track;
  } finally {
    decoder.free();
  }
}

const damagedAs = (format: string) => (error: string) =>
  new UnusableAudio(`the ${format} file is damaged`, `a whole ${format} file`, error.split("\n", 1)[0] ?? "");

/** @throws UnusableAudio where a frame is damaged, or samples are missing that the file announces */
export async function decodeFlac(bytes: Uint8Array, limits: AudioLimits): Promise<MonoAudio> {
  const { FLACDecoder } = await audioLibrary("@wasm-audio-decoders/flac");
  const track = await inChunks(new FLACDecoder(), bytes, limits, damagedAs("FLAC"));
  const announced = announcedFlacSamples(bytes);
  if (announced > 0 && track.length < announced) throw cutOff("FLAC", announced, track.length);
  return track.finish();
}

/** STREAMINFO's 36 bits; 0 where they are unknown, or another block comes first. */
function announcedFlacSamples(bytes: Uint8Array): number {
  if (bytes.length < 26 || bytes[0] !== 0x66 || (bytes[4]! & 0x7f) !== 0) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return (bytes[21]! & 0x0f) * 2 ** 32 + view.getUint32(22);
}

/** @throws UnusableAudio where a packet is damaged, or the last page is missing */
export async function decodeOggVorbis(bytes: Uint8Array, limits: AudioLimits): Promise<MonoAudio> {
  const { OggVorbisDecoder } = await audioLibrary("@wasm-audio-decoders/ogg-vorbis");
  const track = await inChunks(new OggVorbisDecoder(), bytes, limits, damagedAs("Ogg Vorbis"));
  return track.finish();
}

/**
 * What is not a frame is skipped, as every player does: tags stand before and after the sound. Where the first frame
 * says how many there are, a file with fewer is refused.
 *
 * @throws UnusableAudio without any frame, or where frames are missing
 */
export async function decodeMp3(bytes: Uint8Array, limits: AudioLimits): Promise<MonoAudio> {
  const { MPEGDecoder } = await audioLibrary("mpg123-decoder");
  const track = await inChunks(new MPEGDecoder(), bytes, limits, () => null);
  const announced = announcedMp3Samples(bytes);
  if (track.length < 0.95 * announced) throw cutOff("MP3", announced, track.length);
  if (track.length === 0) throw damagedAs("MP3")("no frame in it can be decoded");
  return track.finish();
}

/** By the Xing or Info header that encoders put into the first frame; 0 without one. */
function announcedMp3Samples(bytes: Uint8Array): number {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const from = head.subarray(0, 3).toString("latin1") === "ID3" ? Math.max(0, head.indexOf(0xff, 10)) : 0;
  for (let at = from; at + 200 < Math.min(head.length, from + (1 << 20)); at++) {
    if (head[at] !== 0xff || (head[at + 1]! & 0xe0) !== 0xe0) continue;
    const tag = head.subarray(at + 4, at + 60).toString("latin1");
    const offset = Math.max(tag.indexOf("Xing"), tag.indexOf("Info"));
    if (offset === -1) return 0;
    const place = at + 4 + offset;
    const perFrame = (head[at + 1]! & 0x18) === 0x18 ? 1152 : 576;
    return (head[place + 7]! & 1) === 0 ? 0 : head.readUInt32BE(place + 8) * perFrame;
  }
  return 0;
}

const cutOff = (format: string, announced: number, found: number) =>
  new UnusableAudio(
    "the file ends before its sound does",
    `the ${announced} samples that the ${format} file announces`,
    `${found}: was it cut off?`,
  );
