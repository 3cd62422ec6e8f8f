import type { Answers } from "./predictions.ts";

/**
 * What is true of a row as JSON, equal for equal truths: relevant items in one order with their gains, spans from left
 * to right, references in the order of the file (BLEU does not mind it, but their number is part of its signature).
 */
export function answerTruth(answers: Answers, row: number): string {
  switch (answers.kind) {
    case "ranking": {
      const gains = answers.gains?.[row] ?? null;
      const items = (answers.relevant[row] as string[]).map((item, i): [string, number] => [item, gains?.[i] ?? 1]);
      items.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
      return JSON.stringify(gains === null ? items.map(([item]) => item) : items);
    }
    case "spans":
      return JSON.stringify(
        (answers.label[row] as { start: number; end: number; type: string }[])
          .toSorted((one, other) => one.start - other.start)
          .map(({ start, end, type }) => [start, end, type]),
      );
    case "text":
      return JSON.stringify(answers.references[row]);
  }
}

/** What the true values of a kind of answers are called in reports. */
export const truthName: Record<Answers["kind"], string> = {
  ranking: "relevant items",
  spans: "labelled spans",
  text: "references",
};
