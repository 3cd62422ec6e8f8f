import { SluiceError } from "../errors.ts";
import { containerOf, readFormats } from "./container.ts";
import { decodeFlac, decodeMp3 } from "./decode-compressed.ts";
import { decodeContainer, NoOwnDecoder } from "./decode-container.ts";
import type { AudioLimits, MonoAudio } from "./mono-track.ts";
import { audioPrograms, type AudioPrograms } from "./programs.ts";
import { UnusableAudio } from "./unusable-audio.ts";
import { decodeWav } from "./wav.ts";

/** A file's bytes → its sound, as the mean of its channels, at the rate that it has. */
export type AudioDecoder = (bytes: Uint8Array, limits: AudioLimits) => Promise<MonoAudio>;

/**
 * Makes a decoder of every format that `containerOf` knows.
 *
 * @param env whose PATH may have `faad` and `ffmpeg`; it is searched when the first such file comes
 */
export function audioDecoder(env: Readonly<Record<string, string | undefined>>): AudioDecoder {
  let found: Promise<AudioPrograms> | null = null;
  const programs = () => (found ??= audioPrograms(env));
  return async (bytes, limits) => {
    try {
      return await decodeAudio(bytes, limits, programs);
    } catch (error) {
      if (error instanceof UnusableAudio || error instanceof SluiceError) throw error;
      // Hostile bytes reach places of the decoders where they fail in other ways: a trap, a name that is not there.
      const why = String((error as Error).message).split("\n", 1)[0] ?? "";
      throw new UnusableAudio("the sound cannot be decoded", "a whole file", why, { cause: error });
    }
  };
}

/**
 * @throws UnusableAudio for bytes that are no sound, are damaged or cut off, or hold more than the limit;
 *   ConfigurationError where a package or program is missing
 */
async function decodeAudio(
  bytes: Uint8Array,
  limits: AudioLimits,
  programs: () => Promise<AudioPrograms>,
): Promise<MonoAudio> {
  const aac: AudioPrograms["aac"] = async (adts, own) => (await programs()).aac(adts, own);
  const container = containerOf(bytes);
  switch (container) {
    case "wav":
      return decodeWav(bytes, limits);
    case "flac":
      return decodeFlac(bytes, limits);
    case "mp3":
      return decodeMp3(bytes, limits);
    case "adts":
      return aac(bytes, limits);
    default:
      try {
        return await decodeContainer(bytes, limits, aac);
      } catch (error) {
        if (!(error instanceof NoOwnDecoder)) throw error;
        const { anything } = await programs();
        if (anything !== null) return anything(bytes, container, limits);
        throw new UnusableAudio("the sound's codec is not read here", readFormats, error.codec, { cause: error });
      }
  }
}
