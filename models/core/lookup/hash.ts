/** MurmurHash3's mixing of 32 bits (Appleby, public domain). */
const mix = (h: number): number => {
  let x = h ^ (h >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
};

const step = (h: number, byte: number) => Math.imul(h ^ byte, 0x01000193);

/**
 * FNV-1a over bytes, mixed. Only a place in a table depends on it, and never an answer: keys are compared in full.
 * @param seed taken from the file's digest, so that nobody who chooses keys can choose where they fall
 */
export function hashBytes(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let h = seed ^ 0x811c9dc5;
  for (let i = from; i < to; i++) h = step(h, bytes[i]!);
  return mix(h);
}

/** The same for an ASCII text, without making its bytes; -1 when it has other characters. */
export function hashAscii(text: string, seed: number): number {
  let h = seed ^ 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return -1;
    h = step(h, code);
  }
  return mix(h);
}
