import type { EncodedPacket, InputAudioTrack } from "mediabunny";
import { audioLibrary } from "./audio-library.ts";
import { containerOf } from "./container.ts";
import { assertMp4Tables } from "./mp4-tables.ts";
import { decodeMp3, decodeOggVorbis } from "./decode-compressed.ts";
import { MonoTrack, type AudioLimits, type MonoAudio } from "./mono-track.ts";
import type { AacDecoder } from "./programs.ts";
import { UnusableAudio } from "./unusable-audio.ts";

/** Packets of an hour of the shortest frames. A file with more of them is no recording. */
const maxPackets = 2_000_000;

/** Thrown for a codec that needs a program; `decodeAudio` asks whether one is there. */
export class NoOwnDecoder extends Error {
  readonly codec: string;

  constructor(codec: string) {
    super(`no decoder of ${codec} here`);
    this.codec = codec;
  }
}

/**
 * The first audio track of an Ogg, WebM or MP4 file; pictures and further tracks are passed over.
 *
 * @param aac decodes ADTS frames
 * @throws UnusableAudio for a damaged file, one without sound, and one past the limit; NoOwnDecoder
 */
export async function decodeContainer(bytes: Uint8Array, limits: AudioLimits, aac: AacDecoder): Promise<MonoAudio> {
  if (containerOf(bytes) === "mp4") assertMp4Tables(bytes);
  const { ALL_FORMATS, BufferSource, Input, Logging, LogLevel } = await audioLibrary("mediabunny");
  // What it would print is in the errors, too.
  Logging.level = LogLevel.Silent;
  const input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS });
  try {
    const track = await damagedOr(() => input.getPrimaryAudioTrack());
    if (track === null) throw withoutSound(bytes);
    const codec = await damagedOr(() => track.getCodec());
    switch (codec) {
      case "opus":
        return await decodeOpus(track, limits);
      case "aac":
        return await decodeAac(track, limits, aac);
      case "mp3":
        return await decodeMp3(joined(await packetsOf(track, limits)), limits);
      case "vorbis":
        return await decodeOggVorbis(await remuxed(track, limits, "ogg"), limits);
      default:
        throw new NoOwnDecoder(codec ?? (await track.getCodecParameterString()) ?? "an unknown codec");
    }
  } finally {
    input.dispose();
  }
}

/** An MP4 file says at its end what is in it, mostly. */
function withoutSound(bytes: Uint8Array): UnusableAudio {
  const { buffer, byteOffset, length } = bytes;
  const film = bytes[4] === 0x66 && bytes[5] === 0x74 && bytes[6] === 0x79 && bytes[7] === 0x70;
  return film && !Buffer.from(buffer, byteOffset, length).includes("moov", 8, "latin1")
    ? new UnusableAudio("the file ends before it says what is in it", "a whole MP4 file", "no index: was it cut off?")
    : new UnusableAudio("the file has no sound", "a file with an audio track", "none");
}

/** What a demuxer throws is about the bytes. */
async function damagedOr<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UnusableAudio) throw error;
    const why = String((error as Error).message).split("\n", 1)[0] ?? "";
    throw new UnusableAudio("the file is damaged", "a whole Ogg, WebM or MP4 file", why, { cause: error });
  }
}

/** The packets in order; stops where their times pass the limit. */
async function packetsOf(track: InputAudioTrack, limits: AudioLimits): Promise<EncodedPacket[]> {
  const { EncodedPacketSink } = await audioLibrary("mediabunny");
  return damagedOr(async () => {
    const packets: EncodedPacket[] = [];
    for await (const packet of new EncodedPacketSink(track).packets()) {
      if (packet.timestamp > limits.maxSeconds || packets.length >= maxPackets)
        throw new UnusableAudio("the sound is too long", `at most ${limits.maxSeconds} s`, "more than that");
      packets.push(packet);
    }
    if (packets.length === 0) throw new UnusableAudio("there is no sound in it", "at least one packet", "none");
    return packets;
  });
}

async function decodeOpus(track: InputAudioTrack, limits: AudioLimits): Promise<MonoAudio> {
  const { OpusDecoder } = await audioLibrary("opus-decoder");
  const config = await damagedOr(() => track.getDecoderConfig());
  const head = config?.description === undefined ? null : opusHead(bytesOf(config.description));
  const decoder = new OpusDecoder({ channels: config?.numberOfChannels ?? 2, ...head?.mapping });
  await decoder.ready;
  try {
    const sound = new MonoTrack(limits, head?.preSkip ?? 0);
    for (const { data } of await packetsOf(track, limits)) {
      const { channelData, sampleRate, errors } = decoder.decodeFrame(data);
      if (errors[0] !== undefined)
        throw new UnusableAudio("the Opus sound is damaged", "whole packets", errors[0].message);
      sound.add(channelData, sampleRate);
    }
    return sound.finish();
  } finally {
    decoder.free();
  }
}

/** RFC 7845, section 5.1. The samples that the encoder put before the sound, and where its streams go. */
function opusHead(head: Uint8Array): {
  preSkip: number;
  mapping: { streamCount?: number; coupledStreamCount?: number; channelMappingTable?: number[] };
} | null {
  if (head.length < 19) return null;
  const preSkip = head[10]! | (head[11]! << 8);
  const channels = head[9]!;
  if (head[18] === 0 || head.length < 21 + channels) return { preSkip, mapping: {} };
  return {
    preSkip,
    mapping: {
      streamCount: head[19]!,
      coupledStreamCount: head[20]!,
      channelMappingTable: [...head.subarray(21, 21 + channels)],
    },
  };
}

async function decodeAac(track: InputAudioTrack, limits: AudioLimits, aac: AacDecoder): Promise<MonoAudio> {
  return aac(await remuxed(track, limits, "adts"), limits);
}

/** The same packets in another container, which a decoder understands. Nothing is decoded. */
async function remuxed(track: InputAudioTrack, limits: AudioLimits, to: "ogg" | "adts"): Promise<Uint8Array> {
  const { AdtsOutputFormat, BufferTarget, EncodedAudioPacketSource, OggOutputFormat, Output } =
    await audioLibrary("mediabunny");
  const packets = await packetsOf(track, limits);
  return damagedOr(async () => {
    const decoderConfig = await track.getDecoderConfig();
    if (decoderConfig === null) throw new TypeError("the track does not say how it is decoded");
    const target = new BufferTarget();
    const output = new Output({ format: to === "ogg" ? new OggOutputFormat() : new AdtsOutputFormat(), target });
    const source = new EncodedAudioPacketSource(to === "ogg" ? "vorbis" : "aac");
    output.addAudioTrack(source);
    await output.start();
    for (const packet of packets) {
      // A muxer takes no time before 0, where an encoder's lead-in is.
      const placed = packet.timestamp < 0 ? packet.clone({ timestamp: 0 }) : packet;
      await source.add(placed, { decoderConfig });
    }
    await output.finalize();
    return new Uint8Array(target.buffer!);
  });
}

function joined(packets: readonly EncodedPacket[]): Uint8Array {
  const bytes = new Uint8Array(packets.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const { data } of packets) {
    bytes.set(data, at);
    at += data.length;
  }
  return bytes;
}

const bytesOf = (source: ArrayBufferView | ArrayBufferLike): Uint8Array =>
  ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
