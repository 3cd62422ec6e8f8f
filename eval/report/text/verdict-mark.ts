import type { VerdictWord } from "../../schema/verdict.ts";

/** A sign beside the word where colour is missing; the word always stands with it. */
export const verdictMark: Record<VerdictWord, string> = {
  PASS: "✅",
  FAIL: "❌",
  INCONCLUSIVE: "❔",
  INCOMPARABLE: "🔀",
  ERROR: "🛑",
};

/** What a stranger needs to know of a word that the field does not share. */
export const verdictMeaning: Record<VerdictWord, string> = {
  PASS: "every deciding check is shown to hold",
  FAIL: "a deciding check is shown not to hold",
  INCONCLUSIVE: "not enough data or time to decide",
  INCOMPARABLE: "the baseline's dataset, task or runner does not match",
  ERROR: "the evaluation could not be carried out",
};
