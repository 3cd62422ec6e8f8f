import { readFileSync } from "node:fs";

/** 16-bit samples of a WAVE file, of one channel. */
export function samplesOf(file: string): Float32Array {
  const bytes = readFileSync(file);
  const from = bytes.indexOf("data", 12, "latin1") + 8;
  return Float32Array.from({ length: (bytes.length - from) >> 1 }, (_, i) => bytes.readInt16LE(from + 2 * i) / 32768);
}
