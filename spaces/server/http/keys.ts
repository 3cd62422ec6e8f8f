import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { ConfigurationError } from "../../../models/core/errors.ts";

export type KeyRing = {
  /** The name of the key's owner; null for an unknown key. */
  nameOf(key: string): string | null;
  count: number;
};

/**
 * Reads API keys from a file with one line `NAME SHA256` per key; `#` begins a comment. Only hashes are kept. A given
 * key is compared with all of them in constant time.
 *
 * @throws ConfigurationError naming the line.
 */
export function readKeys(file: string): KeyRing {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigurationError(
      {
        code: "keys-file",
        place: file,
        problem: "the file of API keys cannot be read",
        expected: "a text file",
        received: (error as NodeJS.ErrnoException).code ?? "an error",
      },
      { cause: error },
    );
  }
  const keys = text.split("\n").flatMap((raw, i) => {
    const line = raw.replace(/#.*/, "").trim();
    if (line === "") return [];
    const parts = /^([\w.@-]{1,64})\s+([0-9a-f]{64})$/.exec(line);
    // The line itself is not shown, because it may hold the key instead of its hash.
    if (parts === null)
      throw new ConfigurationError({
        code: "keys-line",
        place: `${file}:${i + 1}`,
        problem: "not a name and a SHA-256 of a key",
        expected: "NAME and 64 lower-case hexadecimal digits",
        example: "dashboard 5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
        hint: 'printf %s "$KEY" | sha256sum',
      });
    return [{ name: parts[1]!, hash: Buffer.from(parts[2]!, "hex") }];
  });
  if (keys.length === 0)
    throw new ConfigurationError({
      code: "keys-empty",
      place: file,
      problem: "the file has no key, so nobody could ask",
      expected: "at least one line NAME SHA256",
    });
  return {
    count: keys.length,
    nameOf(key) {
      const hash = createHash("sha256").update(key).digest();
      let found: string | null = null;
      for (const one of keys) if (timingSafeEqual(one.hash, hash)) found = one.name;
      return found;
    },
  };
}

/** `Authorization: Bearer KEY` or `X-API-Key: KEY`. */
export function keyOf(headers: Readonly<Record<string, string | string[] | undefined>>): string | null {
  const bearer = /^Bearer ([\x21-\x7e]{1,512})$/i.exec((headers.authorization as string) ?? "")?.[1];
  const own = headers["x-api-key"];
  return bearer ?? (typeof own === "string" && own.length <= 512 ? own : null);
}
