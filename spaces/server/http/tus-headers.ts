const MAX_CHARACTERS = 4096;
const MAX_VALUE = 200;
const PAIR = /^([\x21-\x2b\x2d-\x7e]+)(?: ([A-Za-z0-9+/]*={0,2}))?$/;

/** A header that is a whole number of bytes; null for anything else. */
export function wholeNumber(header: string | string[] | undefined): number | null {
  return typeof header === "string" && /^\d{1,15}$/.test(header) ? Number(header) : null;
}

/**
 * `Upload-Metadata` of the tus protocol: names with base64 values, with commas between. Values are cut to 200
 * characters, and control characters are left out, because they become names for people.
 *
 * @returns null when it is not of that form
 */
export function metadataOf(header: string | string[] | undefined): Record<string, string> | null {
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  if (header === undefined || header === "") return found;
  if (typeof header !== "string" || header.length > MAX_CHARACTERS) return null;
  for (const part of header.split(",")) {
    const pair = PAIR.exec(part.trim());
    if (pair === null) return null;
    const value = Buffer.from(pair[2] ?? "", "base64")
      .toString("utf8")
      .replaceAll(/\p{Cc}/gu, "")
      .slice(0, MAX_VALUE);
    if (value !== "") found[pair[1]!] = value;
  }
  return found;
}
