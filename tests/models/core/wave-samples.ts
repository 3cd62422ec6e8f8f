import { readFileSync } from "node:fs";

/** Samples of a mono 16-bit WAV file, -1 to 1. */
export function samplesOf(file: string): Float32Array {
  const bytes = readFileSync(file);
  let at = 12;
  while (bytes.toString("latin1", at, at + 4) !== "data") at += 8 + bytes.readUInt32LE(at + 4);
  const length = bytes.readUInt32LE(at + 4) / 2;
  return Float32Array.from({ length }, (_, i) => bytes.readInt16LE(at + 8 + 2 * i) / 32768);
}
