import { spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { ConfigurationError } from "../errors.ts";
import type { Container } from "./container.ts";
import { MonoTrack, type AudioLimits, type MonoAudio } from "./mono-track.ts";
import { UnusableAudio } from "./unusable-audio.ts";

/** ADTS frames → sound. */
export type AacDecoder = (adts: Uint8Array, limits: AudioLimits) => Promise<MonoAudio>;

/** Decoders that are programs of their own, found on a PATH. Each runs in its own process, with nothing but its input. */
export type AudioPrograms = {
  aac: AacDecoder;
  /** Whatever ffmpeg reads; null where it is not installed. */
  anything: ((bytes: Uint8Array, container: Container, limits: AudioLimits) => Promise<MonoAudio>) | null;
};

/** The longest that a program may take, however little it is given: a minute of sound takes a tenth of a second. */
const timeoutMs = 20_000;
/** Of the sound that comes out of ffmpeg. */
const ffmpegRate = 48_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `faad` decodes AAC; where it is missing, or something else has to be decoded, `ffmpeg` does if it is there.
 *
 * @param env whose PATH is searched; nothing else of it reaches the programs
 */
export async function audioPrograms(env: Environment): Promise<AudioPrograms> {
  const [faad, ffmpeg] = [await onPath("faad", env), await onPath("ffmpeg", env)];
  const anything: AudioPrograms["anything"] =
    ffmpeg === null ? null : (bytes, container, limits) => runFfmpeg(ffmpeg, bytes, container, limits);
  return {
    aac: async (adts, limits) => {
      if (faad !== null) return runFaad(faad, adts, limits);
      if (anything !== null) return anything(adts, "adts", limits);
      throw new ConfigurationError({
        code: "audio-program",
        place: "preprocess",
        problem: "no program that decodes AAC (M4A, MP4) is installed",
        expected: "faad, or ffmpeg, on the PATH",
        received: "neither",
        hint: "Debian: apt-get install faad (0.6 MB); or send WAVE, FLAC, MP3, Ogg or WebM",
      });
    },
    anything,
  };
}

async function onPath(name: string, { PATH = "" }: Environment): Promise<string | null> {
  for (const folder of PATH.split(delimiter)) {
    // A relative folder would be searched in whatever folder the process happens to be.
    if (!isAbsolute(folder)) continue;
    const file = join(folder, name);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return null;
}

/** Floats behind a WAVE header, of which only rate and channels are true: in a pipe its lengths cannot be. */
async function runFaad(program: string, adts: Uint8Array, limits: AudioLimits): Promise<MonoAudio> {
  const track = new MonoTrack(limits);
  let head: { rate: number; channels: number } | null = null;
  const reader = frameReader((bytes) => {
    if (head === null) {
      if (bytes.length < 44) return 0;
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const at = bytes.indexOf("data", 12, "latin1");
      if (at === -1 || at + 8 > bytes.length) return bytes.length > 4096 ? -1 : 0;
      head = { channels: view.getUint16(22, true), rate: view.getUint32(24, true) };
      return at + 8;
    }
    const { channels, rate } = head;
    return addFloats(track, bytes, channels, rate);
  });
  await run(program, ["-q", "-w", "-f", "1", "-b", "4", "-"], adts, reader, "AAC");
  return track.finish();
}

/** What ffmpeg calls the formats. It is told, so that no playlist that leads elsewhere passes for one of them. */
const demuxers: Readonly<Record<Container, string>> = {
  wav: "wav",
  flac: "flac",
  mp3: "mp3",
  ogg: "ogg",
  webm: "matroska",
  mp4: "mov",
  adts: "aac",
};

/** No file, no network: the bytes come and go through pipes, with a cache because MP4 is read from its end. */
async function runFfmpeg(
  program: string,
  bytes: Uint8Array,
  container: Container,
  limits: AudioLimits,
): Promise<MonoAudio> {
  const track = new MonoTrack(limits);
  const reader = frameReader((given) => addFloats(track, given, 1, ffmpegRate));
  const options = ["-nostdin", "-v", "error", "-xerror", "-protocol_whitelist", "cache,pipe", "-threads", "1"];
  const output = ["-map", "0:a:0", "-vn", "-sn", "-dn", "-ac", "1", "-ar", String(ffmpegRate), "-f", "f32le", "pipe:1"];
  // One second more than allowed: enough to see that it is too long.
  const limit = ["-t", String(limits.maxSeconds + 1)];
  await run(
    program,
    [...options, "-f", demuxers[container], "-i", "cache:pipe:0", ...limit, ...output],
    bytes,
    reader,
    "sound",
  );
  return track.finish();
}

/** @returns how many of the bytes were whole frames */
function addFloats(track: MonoTrack, bytes: Buffer, channels: number, rate: number): number {
  const frames = Math.floor(bytes.length / (4 * channels));
  if (frames === 0) return 0;
  const planes = Array.from({ length: channels }, () => new Float32Array(frames));
  for (let i = 0; i < frames; i++)
    for (let c = 0; c < channels; c++) planes[c]![i] = bytes.readFloatLE(4 * (i * channels + c));
  track.add(planes, rate);
  return frames * 4 * channels;
}

/** Hands over what has come so far, and keeps what `take` leaves. */
function frameReader(take: (bytes: Buffer) => number): (chunk: Buffer) => void {
  let left = Buffer.alloc(0);
  return (chunk) => {
    let bytes = left.length === 0 ? chunk : Buffer.concat([left, chunk]);
    for (let used = take(bytes); used !== 0 && bytes.length > 0; used = take(bytes)) {
      if (used < 0) throw new UnusableAudio("the decoder wrote no sound", "a WAVE header", "something else");
      bytes = bytes.subarray(used);
      if (bytes.length === 0) break;
    }
    left = Buffer.from(bytes);
  };
}

/**
 * Runs a program over bytes. It is killed when it takes too long, or when what it writes is refused.
 *
 * @throws UnusableAudio
 */
async function run(
  program: string,
  options: readonly string[],
  input: Uint8Array,
  onOutput: (chunk: Buffer) => void,
  what: string,
): Promise<void> {
  const child = spawn(program, options, { env: {}, cwd: "/", stdio: ["pipe", "pipe", "pipe"] });
  let refused: unknown = null;
  let said = "";
  const kill = (error: unknown) => {
    refused ??= error;
    child.kill("SIGKILL");
  };
  const timer = setTimeout(
    () => kill(new UnusableAudio(`the ${what} takes too long to decode`, `at most ${timeoutMs / 1000} s`, "more")),
    timeoutMs,
  );
  child.stdout.on("data", (chunk: Buffer) => {
    if (refused !== null) return;
    try {
      onOutput(chunk);
    } catch (error) {
      kill(error);
    }
  });
  child.stderr.on("data", (chunk: Buffer) => {
    if (said.length < 1000) said += chunk.toString("utf8");
  });
  // A program that has died no longer reads; its exit says why.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  }).finally(() => clearTimeout(timer));
  if (refused !== null) throw refused;
  if (code !== 0)
    throw new UnusableAudio(
      `the ${what} cannot be decoded`,
      "a whole file",
      said
        .split("\n")
        .find((line) => line.trim() !== "")
        ?.trim()
        .slice(0, 200) || `the decoder ended with ${code}`,
    );
}
