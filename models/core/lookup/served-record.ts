import { createHmac } from "node:crypto";
import { z } from "zod";

/** One line of the record of served look-ups. No key and no feature is in it. */
export const servedRecord = z.strictObject({
  model: z.string(),
  version: z.string(),
  step: z.string(),
  key: z.string().describe("HMAC-SHA-256 of the key (hex, 32 digits); the secret is the operator's."),
  timeMs: z.number().describe("Time that was asked about, milliseconds since 1970."),
  eventMs: z.number().nullable().describe("Time of the event that was found."),
  missing: z.enum(["unknown", "stale", "null"]).nullable(),
  store: z.string().nullable().describe("SHA-256 of the feature table; null for Redis."),
  vector: z.string().describe("First 16 digits of the SHA-256 of the features as float32."),
});

export type ServedRecord = z.infer<typeof servedRecord>;

export function keyDigest(key: string, secret: string): string {
  return createHmac("sha256", secret).update(key).digest("hex").slice(0, 32);
}
