import type { Answers, Predictions } from "./predictions.ts";

export function answerCount(answers: Answers): number {
  switch (answers.kind) {
    case "ranking":
      return answers.ranked.length;
    case "spans":
      return answers.predicted.length;
    case "text":
      return answers.hypotheses.length;
  }
}

/** Number of rows, whatever the predictions hold. It makes no ids. */
export function rowCount({ answers, labels }: Pick<Predictions, "answers" | "labels">): number {
  return answers === undefined ? labels.length : answerCount(answers);
}
