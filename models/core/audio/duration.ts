import { audioLibrary } from "./audio-library.ts";
import { containerOf } from "./container.ts";
import { assertMp4Tables } from "./mp4-tables.ts";
import { UnusableAudio } from "./unusable-audio.ts";
import { wavLength } from "./wav.ts";

/**
 * How long a sound file is, in seconds, without decoding it.
 *
 * @throws UnusableAudio for what is no sound, or says nothing of its length
 */
export async function audioSeconds(bytes: Uint8Array): Promise<number> {
  const container = containerOf(bytes);
  if (container === "mp4") assertMp4Tables(bytes);
  if (container === "wav") {
    const { frames, rate } = wavLength(bytes);
    return frames / rate;
  }
  const { ALL_FORMATS, BufferSource, Input, Logging, LogLevel } = await audioLibrary("mediabunny");
  Logging.level = LogLevel.Silent;
  const input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS });
  try {
    const track = await input.getPrimaryAudioTrack();
    const seconds = track === null ? 0 : await track.computeDuration();
    if (seconds > 0) return seconds;
    throw new UnusableAudio("the file has no sound", "a file with an audio track", "none");
  } catch (error) {
    if (error instanceof UnusableAudio) throw error;
    const why = String((error as Error).message).split("\n", 1)[0] ?? "";
    throw new UnusableAudio("the file is damaged", "a whole sound file", why, { cause: error });
  } finally {
    input.dispose();
  }
}
