import type { Answers } from "../predictions/predictions.ts";
import type { AnswerRows, Sample } from "./definition.ts";

export type Texts = Extract<Answers, { kind: "text" }>;

export function textsOf({ answerRows }: Sample): AnswerRows<Texts> | null {
  return answerRows?.of.kind === "text" ? (answerRows as AnswerRows<Texts>) : null;
}

/** The number of references of every row of a sample as signatures have it: "1", or "var" where it differs. */
export function referenceCount(sample: Sample): string {
  const texts = textsOf(sample);
  if (texts === null) return "0";
  let count = -1;
  for (const row of texts.rows) {
    const { length } = texts.of.references[row] as string[];
    if (count >= 0 && length !== count) return "var";
    count = length;
  }
  return String(Math.max(0, count));
}

/**
 * What reproduces sacreBLEU 2.6.0: its signature ends in the version of sacreBLEU, ours in what computes the same.
 */
export const sacrebleuVersion = "version:2.6.0-sluice.1";
