/** What a part of a key may be, for messages. */
export const keyWords = "a text that is not empty, or a whole number";

/** A longer key is no identifier, and would let one request fill memory or a network. */
const MAX_CHARACTERS = 512;

/** One part of a key as text; null when it can be none. The number 5 and the text "5" are the same key, as in CSV. */
export function keyPart(value: unknown): string | null {
  if (typeof value === "string")
    return value.length > 0 && value.length <= MAX_CHARACTERS && value.isWellFormed() ? value : null;
  if (typeof value === "bigint") return String(value);
  return Number.isSafeInteger(value) ? String(value === 0 ? 0 : value) : null;
}

/** Parts → one key. Several are a JSON list, so that ("a", "b,c") and ("a,b", "c") stay two keys. */
export function joinKey(parts: readonly string[]): string {
  return parts.length === 1 ? parts[0]! : JSON.stringify(parts);
}
