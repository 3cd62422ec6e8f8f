import type { Measurer } from "../metrics/measure.ts";
import { userHits } from "../metrics/user-hits.ts";
import type { Answers } from "../predictions/predictions.ts";

/**
 * What a reader should know of answers that are no numbers: what is empty, and with it left out or counted as wrong, and
 * lists that are the same for everybody. One sentence each, about all rows.
 *
 * @param who "candidate" or "baseline"
 */
export function answerNotes(who: string, { predictions }: Pick<Measurer, "predictions">): string[] {
  const { answers } = predictions;
  if (answers === undefined) return [];
  return notesOf(answers).map(
    (note) =>
      `The ${who}'s answers${predictions.head === "" || predictions.head === "score" ? "" : ` (head ${predictions.head})`}: ${note}`,
  );
}

function notesOf(answers: Answers): string[] {
  switch (answers.kind) {
    case "ranking":
      return rankingNotes(answers);
    case "spans": {
      const { label, predicted } = answers;
      return [
        counted(label, (one) => one.length === 0, "rows", "have no labelled span"),
        counted(predicted, (one) => one.length === 0, "rows", "have no predicted span"),
      ].flat();
    }
    case "text": {
      const { references, hypotheses } = answers;
      const counts = new Set(references.map(({ length }) => length));
      return [
        counted(references, (one) => one.every((text) => text.trim() === ""), "references", "are empty"),
        counted(hypotheses, (text) => text.trim() === "", "hypotheses", "are empty"),
        counts.size > 1
          ? [`rows have from ${Math.min(...counts)} to ${Math.max(...counts)} references (nrefs:var).`]
          : [],
      ].flat();
    }
  }
}

function rankingNotes(answers: Extract<Answers, { kind: "ranking" }>): string[] {
  const { ranked } = answers;
  const first = JSON.stringify(ranked[0]);
  const same = ranked.length > 1 && ranked.every((list) => JSON.stringify(list) === first);
  return [
    counted(
      [...userHits(answers).relevant],
      (relevant) => relevant === 0,
      "users",
      "have no relevant item and are left out of every metric but coverage_at_k",
    ),
    counted(ranked, (list) => list.length === 0, "lists", "are empty and find nothing"),
    same
      ? [
          "every user has the same list. Where it comes from equal scores, its order is the catalogue's and says nothing of the model.",
        ]
      : [],
  ].flat();
}

function counted<Value>(
  values: readonly Value[],
  test: (value: Value) => boolean,
  what: string,
  say: string,
): string[] {
  const count = values.filter(test).length;
  return count === 0 ? [] : [`${count} of ${values.length} ${what} ${say}.`];
}
