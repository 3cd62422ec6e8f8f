import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { ConfigurationError } from "../../../models/core/errors.ts";

/** The variable with the key of everything that jobs keep. It is no setting, because settings are shown. */
export const KEY_VARIABLE = "SLUICE_JOBS_KEY";

const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export type Sealer = {
  /** False when the key was made for this process, so that nobody can read what it kept once it has ended. */
  configured: boolean;
  /** @param place where the bytes are kept. They can be opened only there. */
  seal(plain: Uint8Array, place: string): Buffer;
  /** @throws KeyLost when no key of ours sealed these bytes for this place. */
  open(sealed: Uint8Array, place: string): Buffer;
};

/** What was kept cannot be read: its key is not here any more, or the bytes are not as they were written. */
export class KeyLost extends Error {
  override name = "KeyLost";
}

/**
 * AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce for each piece. Sealed bytes are the key's id, the nonce, the
 * text and the tag. The place is authenticated with them, so that pieces cannot be exchanged.
 *
 * @param given one key or several with commas between: the first seals, and every one opens. 32 bytes each, in base64 or
 *   hexadecimal. Without any, a random key is made.
 * @throws ConfigurationError, which never repeats what was given
 */
export function createSealer(given: string | undefined): Sealer {
  const configured = given !== undefined && given.trim() !== "";
  const keys = (configured ? given.split(",").map(keyOf) : [randomBytes(KEY_BYTES)]).map((key) => ({
    key,
    id: createHash("sha256").update("sluice jobs key id").update(key).digest().subarray(0, KEY_ID_BYTES),
  }));
  const [own] = keys as [(typeof keys)[number], ...typeof keys];
  return {
    configured,
    seal(plain, place) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", own.key, nonce);
      cipher.setAAD(Buffer.from(place));
      return Buffer.concat([own.id, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, place) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      const key = keys.find(({ id }) => id.equals(bytes.subarray(0, KEY_ID_BYTES)))?.key;
      if (key === undefined || bytes.length < KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES)
        throw new KeyLost("sealed with a key that is not here");
      const text = KEY_ID_BYTES + NONCE_BYTES;
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(KEY_ID_BYTES, text));
      decipher.setAAD(Buffer.from(place));
      decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(text, bytes.length - TAG_BYTES)), decipher.final()]);
      } catch (error) {
        throw new KeyLost("the bytes are not as they were sealed", { cause: error });
      }
    },
  };
}

function keyOf(text: string, index: number): Buffer {
  const trimmed = text.trim();
  const key = /^[0-9a-fA-F]{64}$/.test(trimmed)
    ? Buffer.from(trimmed, "hex")
    : /^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)
      ? Buffer.from(trimmed, "base64")
      : null;
  if (key?.length !== KEY_BYTES)
    throw new ConfigurationError({
      code: "jobs-key",
      place: KEY_VARIABLE,
      problem: `key ${index + 1} is not ${KEY_BYTES} bytes`,
      expected: "32 random bytes in base64 or hexadecimal; several with commas between, the newest first",
      received: "something else, which is not shown",
      hint: "openssl rand -base64 32",
    });
  return key;
}
