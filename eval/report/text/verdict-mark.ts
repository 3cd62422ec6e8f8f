import type { VerdictWord } from "../../schema/verdict.ts";

/** A symbol beside the verdict where colour is not available; the word is always shown too. */
export const verdictMark: Record<VerdictWord, string> = {
  PASS: "✅",
  FAIL: "❌",
  INCONCLUSIVE: "❔",
  INCOMPARABLE: "🔀",
  ERROR: "🛑",
};

/** What a reader who does not know these verdicts needs to know about each. */
export const verdictMeaning: Record<VerdictWord, string> = {
  PASS: "every deciding check is shown to hold",
  FAIL: "a deciding check is shown not to hold",
  INCONCLUSIVE: "not enough data or time to decide",
  INCOMPARABLE: "candidate and base cannot be held against each other: data, task or runner differ, or a model is gone",
  ERROR: "the evaluation could not be carried out",
};
