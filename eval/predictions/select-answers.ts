import type { Answers } from "./predictions.ts";

/** The answers at these positions, in this order; a position may occur several times. */
export function selectAnswers(answers: Answers, rows: Int32Array): Answers {
  const picked = <Value>(values: readonly Value[]): Value[] => Array.from(rows, (row) => values[row] as Value);
  switch (answers.kind) {
    case "ranking": {
      const { relevant, gains, ranked } = answers;
      return {
        ...answers,
        relevant: picked(relevant),
        gains: gains === null ? null : picked(gains),
        ranked: picked(ranked),
      };
    }
    case "spans":
      return { ...answers, label: picked(answers.label), predicted: picked(answers.predicted) };
    case "text": {
      const { references, hypotheses, audioSeconds } = answers;
      return {
        ...answers,
        references: picked(references),
        hypotheses: picked(hypotheses),
        audioSeconds: audioSeconds === null ? null : Float64Array.from(rows, (row) => audioSeconds[row] as number),
      };
    }
  }
}

/**
 * The true values of `truth` with, row by row, what it or `other` answered.
 * @param fromOther 1 where the other's answer is taken
 */
export function mixAnswers(truth: Answers, other: Answers, fromOther: ArrayLike<number>): Answers {
  const mixed = <Value>(mine: readonly Value[], theirs: readonly Value[]): Value[] =>
    mine.map((value, row) => (fromOther[row] === 1 ? (theirs[row] as Value) : value));
  if (truth.kind === "ranking" && other.kind === "ranking")
    return { ...truth, ranked: mixed(truth.ranked, other.ranked) };
  if (truth.kind === "spans" && other.kind === "spans")
    return { ...truth, predicted: mixed(truth.predicted, other.predicted) };
  if (truth.kind === "text" && other.kind === "text")
    return { ...truth, hypotheses: mixed(truth.hypotheses, other.hypotheses) };
  throw new Error("answers of two kinds were paired");
}
