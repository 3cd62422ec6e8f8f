import { UnusableAudio } from "./unusable-audio.ts";

const containers = new Set(["moov", "trak", "mdia", "minf", "stbl", "edts", "moof", "traf"]);
/** Samples that a table may tell of: hours of the shortest frames. */
const maxSamples = 2_000_000;
/** Boxes in boxes; a whole file has five. */
const maxDepth = 12;
/** Bytes of an entry, for tables whose entries a reader would make up where they are missing. */
const entryBytes: Readonly<Record<string, number>> = {
  stts: 8,
  stsc: 12,
  ctts: 8,
  stco: 4,
  co64: 8,
  stss: 4,
  elst: 12,
};

/**
 * Looks through an MP4 file's tables before a demuxer builds them: a few bytes may tell of billions of samples, and
 * nothing can stop a demuxer that counts them.
 *
 * @throws UnusableAudio
 */
export function assertMp4Tables(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const strange = (name: string) =>
    new UnusableAudio("the file is damaged", "a whole MP4 file", `a table ${name} that cannot be`);
  const check = (name: string, from: number, to: number): void => {
    const at = (offset: number) => (from + offset + 4 <= to ? view.getUint32(from + offset) : 0);
    const count = at(4);
    const width = entryBytes[name];
    if (width !== undefined && count * width > to - from - 8) throw strange(name);
    if (name === "stsz" && at(8) > maxSamples) throw strange(name);
    if (name === "trun" && count > maxSamples) throw strange(name);
    if (name !== "stts" && name !== "stsc" && name !== "ctts") return;
    let samples = 0;
    for (let i = 0; i < count; i++) {
      samples += name === "stsc" ? at(8 + 12 * i + 4) : at(8 + 8 * i);
      if (samples > maxSamples) throw strange(name);
    }
  };
  const walk = (from: number, to: number, depth: number): void => {
    if (depth > maxDepth) throw strange("of tables");
    for (let at = from; at + 8 <= to;) {
      const short = view.getUint32(at);
      const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
      const head = short === 1 ? 16 : 8;
      const size = short === 0 ? to - at : short === 1 && at + 16 <= to ? Number(view.getBigUint64(at + 8)) : short;
      if (size < head) return;
      const end = Math.min(to, at + size);
      if (containers.has(name)) walk(at + head, end, depth + 1);
      else check(name, at + head, end);
      at += size;
    }
  };
  walk(0, bytes.length, 0);
}
