import type { Normaliser } from "./normaliser.ts";

/**
 * As BasicTextNormalizer of openai/whisper without options: lower case; what stands in brackets deleted; NFKC; marks,
 * symbols and punctuation (categories M, S and P) become spaces: "cold-hearted" becomes "cold hearted". Marks that NFKC
 * does not join with a letter are lost, so scripts with vowel signs (Hindi, Thai) are better compared with `lower`.
 */
export const whisperBasic: Normaliser = {
  name: "whisper-basic",
  version: 1,
  apply: (text) =>
    text
      .toLowerCase()
      .replace(/[<[][^>\]]*[>\]]/g, "")
      .replace(/\(([^)]+?)\)/g, "")
      .normalize("NFKC")
      .replace(/[\p{M}\p{S}\p{P}]/gu, " ")
      .toLowerCase()
      .replace(/\s+/g, " "),
};
