import { lower } from "./lower.ts";
import type { Normaliser } from "./normaliser.ts";

/** Lower case, and punctuation (Unicode category P) deleted: "cold-hearted" becomes "coldhearted". */
export const lowerNoPunctuation: Normaliser = {
  name: "lower-no-punctuation",
  version: 1,
  apply: (text) => lower.apply(text).replace(/\p{P}+/gu, ""),
};
