import { lower } from "./lower.ts";
import type { Normaliser } from "./normaliser.ts";

/**
 * Lower case, and punctuation (Unicode category P) but the apostrophe becomes a space: "cold-hearted" becomes two words,
 * "he'll" stays one.
 */
export const lowerPunctuationSpace: Normaliser = {
  name: "lower-punctuation-space",
  version: 1,
  apply: (text) =>
    lower
      .apply(text)
      .replaceAll("’", "'")
      .replace(/(?!')\p{P}+?/gu, " ")
      .replace(/\s+/gu, " ")
      .trim(),
};
