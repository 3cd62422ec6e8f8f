/** What Python's str.split() splits at, which is not what \s means here (U+FEFF is no space, U+001C to U+001F are). */
const pythonSpace = /[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** Words between white space. */
export function splitAtSpace(text: string): string[] {
  return text.split(pythonSpace).filter((word) => word !== "");
}
