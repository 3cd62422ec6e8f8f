import type { AdviceCheck } from "../../models/remote/advice.ts";
import { countWords, languageOf } from "./language.ts";

/**
 * What a remote model gave for one prompt. Times are in milliseconds from the request. `reason`: why there is no
 * answer.
 */
export type RemoteAnswer =
  | {
      ok: true;
      text: string;
      cut: boolean;
      firstWordsMs: number;
      answerMs: number;
      usage: { inputTokens: number; outputTokens: number } | null;
    }
  | { ok: false; reason: string; answerMs: number };

/**
 * Phrases with which language models decline, in English. They are compared in lower case with straight apostrophes.
 */
const declining = [
  "i can't help",
  "i cannot help",
  "i can't assist",
  "i cannot assist",
  "i can't provide",
  "i cannot provide",
  "i can't fulfill",
  "i cannot fulfill",
  "i'm unable to",
  "i am unable to",
  "i'm not able to",
  "i am not able to",
  "i must decline",
  "i won't be able to",
  "i'm sorry, but i can",
  "i am sorry, but i can",
  "as an ai",
  "as a language model",
  "as a large language model",
  "i'm just an ai",
  "i'm an ai",
  "i am an ai",
] as const;

const plain = (text: string) => text.normalize("NFC").toLowerCase().replaceAll("’", "'");

/**
 * Whether an answer keeps a check. Null where the check does not apply: there is no answer, or there are no words to
 * look for. A missing answer breaks a time check.
 */
export function keeps(
  check: AdviceCheck,
  answer: RemoteAnswer,
  row: Readonly<Record<string, unknown>>,
): boolean | null {
  if (check.kind === "time")
    return answer.ok && (check.of === "answer" ? answer.answerMs : answer.firstWordsMs) <= check.maxMs;
  if (!answer.ok) return null;
  switch (check.kind) {
    case "length": {
      const length = check.unit === "words" ? countWords(answer.text) : [...answer.text.trim()].length;
      return !answer.cut && length >= (check.min ?? 0) && length <= (check.max ?? Infinity);
    }
    case "language":
      return languageOf(answer.text) === check.language;
    case "mentions": {
      const wanted = row[check.field];
      if (!Array.isArray(wanted) || wanted.length === 0) return null;
      const text = ` ${plain(answer.text).replaceAll(/[^\p{L}\p{N}']+/gu, " ")}`;
      return wanted.some((word) => text.includes(` ${plain(String(word))}`));
    }
    case "refusals": {
      const text = plain(answer.text);
      return ![...declining, ...check.also.map(plain)].some((phrase) => text.includes(phrase));
    }
  }
}

/** The check in a few words, e.g. "8 to 80 words". */
export function ruleOf(check: AdviceCheck): string {
  switch (check.kind) {
    case "length":
      return check.min === undefined
        ? `at most ${check.max} ${check.unit}`
        : check.max === undefined
          ? `at least ${check.min} ${check.unit}`
          : `${check.min} to ${check.max} ${check.unit}`;
    case "language":
      return `in ${new Intl.DisplayNames(["en"], { type: "language" }).of(check.language)}`;
    case "mentions":
      return "mentions what it was told";
    case "refusals":
      return "does not decline";
    case "time":
      return `${check.of === "answer" ? "answer" : "first words"} within ${check.maxMs} ms`;
  }
}
