import { createHash } from "node:crypto";

/** SHA-256 (hex, 16 digits) of float32 numbers, little-endian. Every NaN is the same NaN. */
export function vectorHash(values: ArrayLike<number>): string {
  const bytes = Buffer.alloc(4 * values.length);
  for (let i = 0; i < values.length; i++) bytes.writeFloatLE(Number.isNaN(values[i]!) ? NaN : values[i]!, 4 * i);
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}
