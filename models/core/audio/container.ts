import { UnusableAudio } from "./unusable-audio.ts";

export type Container = "wav" | "flac" | "mp3" | "ogg" | "webm" | "mp4" | "adts";

/** What is read, in the words of errors and pages. */
export const readFormats = "WAVE, FLAC, MP3, Ogg (Vorbis, Opus), WebM, M4A, AAC, or MP4 with sound";

/**
 * What a file is, by its first bytes. Names and media types are the sender's word for it, and not asked.
 *
 * @throws UnusableAudio for anything else
 */
export function containerOf(bytes: Uint8Array): Container {
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if ((text(0, 4) === "RIFF" || text(0, 4) === "RF64") && text(8, 12) === "WAVE") return "wav";
  if (text(0, 4) === "fLaC") return "flac";
  if (text(0, 4) === "OggS") return "ogg";
  if (text(4, 8) === "ftyp" || text(4, 8) === "moov" || text(4, 8) === "styp") return "mp4";
  if (bytes[0] === 0x1a && bytes[1] === 0x45 && bytes[2] === 0xdf && bytes[3] === 0xa3) return "webm";
  const at = text(0, 3) === "ID3" ? tagLength(bytes) : 0;
  if (text(at, at + 4) === "fLaC") return "flac";
  if (bytes[at] === 0xff && (bytes[at + 1]! & 0xf6) === 0xf0) return "adts";
  // An MPEG frame: eleven bits of ones, a layer, a bit rate and a sample rate that exist.
  const [second = 0, third = 0] = [bytes[at + 1], bytes[at + 2]];
  if (
    bytes[at] === 0xff &&
    (second & 0xe0) === 0xe0 &&
    (second & 0x06) !== 0 &&
    third >> 4 !== 15 &&
    (third & 0x0c) !== 0x0c
  )
    return "mp3";
  throw new UnusableAudio(
    bytes.length === 0 ? "the sound is empty" : "this is no sound that is read here",
    readFormats,
    bytes.length === 0 ? "0 bytes" : `${bytes.length} bytes that begin with ${firstBytes(bytes)}`,
  );
}

/** An ID3v2 tag's length with its head: four times seven bits. */
const tagLength = (bytes: Uint8Array): number =>
  10 + ((bytes[6]! << 21) | (bytes[7]! << 14) | (bytes[8]! << 7) | bytes[9]!);

const firstBytes = (bytes: Uint8Array): string =>
  Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
