/**
 * What Python's str.split() splits at, but for the separators U+001C to U+001F, which no text holds. It is not what \s
 * means here, where U+FEFF is a space and U+0085 is none.
 */
const pythonSpace = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** Words between white space. */
export function splitAtSpace(text: string): string[] {
  return text.split(pythonSpace).filter((word) => word !== "");
}
