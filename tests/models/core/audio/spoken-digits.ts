import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { sharedData } from "./shared-speech.ts";

let archive: Buffer | null = null;

/** A recording of free-spoken-digit-dataset (CC BY-SA 4.0), 8 kHz. Indices 0 to 4 trained no model here. */
export function spokenDigit(digit: number, speaker: string, index: number): Float32Array {
  archive ??= gunzipSync(readFileSync(join(sharedData!, "speech/fsdd_recordings.tgz")));
  const wanted = `${digit}_${speaker}_${index}.wav`;
  for (let at = 0; at + 512 <= archive.length;) {
    const name = archive
      .subarray(at, at + 100)
      .toString("latin1")
      .replace(/\0.*$/s, "");
    const size = Number.parseInt(archive.subarray(at + 124, at + 136).toString("latin1"), 8) || 0;
    if (name.endsWith(`/${wanted}`)) {
      const bytes = archive.subarray(at + 512, at + 512 + size);
      const from = bytes.indexOf("data", 12, "latin1") + 8;
      return Float32Array.from({ length: (size - from) >> 1 }, (_, i) => bytes.readInt16LE(from + 2 * i) / 32768);
    }
    at += 512 * (1 + Math.ceil(size / 512));
  }
  throw new Error(`no recording ${wanted}`);
}

/** Sounds one after the other with silence between, before and after. */
export function spoken(parts: readonly Float32Array[], silenceMs: number, rate = 8000): Float32Array {
  const pause = Math.round((silenceMs * rate) / 1000);
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length + pause, pause));
  let at = pause;
  for (const part of parts) {
    all.set(part, at);
    at += part.length + pause;
  }
  return all;
}
