export const pcmFormats = ["s16le", "f32le"] as const;
export type PcmFormat = (typeof pcmFormats)[number];

/** Reads frames of little-endian samples that may be cut anywhere. */
export function pcmReader(format: PcmFormat): (bytes: Buffer) => Float32Array {
  const width = format === "s16le" ? 2 : 4;
  let left = Buffer.alloc(0);
  return (bytes) => {
    const all = left.length === 0 ? bytes : Buffer.concat([left, bytes]);
    const count = Math.floor(all.length / width);
    const samples = new Float32Array(count);
    for (let i = 0; i < count; i++)
      samples[i] = format === "s16le" ? all.readInt16LE(2 * i) / 32768 : all.readFloatLE(4 * i);
    left = Buffer.from(all.subarray(count * width));
    return samples;
  };
}
