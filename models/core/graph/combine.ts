import { classificationAnswer, positiveLabel } from "../postprocess/classification.ts";
import type {
  ClassificationResult,
  HeadResult,
  RegressionResult,
  SeriesResult,
  TextResult,
} from "../postprocess/result.ts";
import type { ClassificationHead, Head } from "../postprocess/schema.ts";

export type CombineRule = "mean" | "weighted" | "vote" | "max";

/** The kinds of head that each rule can combine. */
export const combinable: Readonly<Record<CombineRule, readonly Head["kind"][]>> = {
  mean: ["classification", "regression", "series"],
  weighted: ["classification", "regression", "series"],
  vote: ["classification", "text"],
  max: ["classification", "regression"],
};

/**
 * Compiles how the members' answers of one head become one.
 *
 * mean, weighted: Σ w·x / Σ w of the probabilities, the values, or each step of a forecast and each of its quantiles.
 * vote: the label that most members give; its probabilities are the shares of the votes, and of equal ones the earlier
 * label of the head wins; of texts the one that most members give, of equal ones the earlier member's. max: the answer
 * whose own probability of its label is largest, or the largest value; of equal ones the earlier member's.
 *
 * @param weights of the members, in their order; only their ratios matter
 */
export function combiner(
  head: Head,
  rule: CombineRule,
  weights: readonly number[],
): (results: readonly HeadResult[]) => HeadResult {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const average = (values: readonly number[]) => values.reduce((sum, value, i) => sum + value * weights[i]!, 0) / total;
  switch (head.kind) {
    case "classification":
      return classifications(head, rule, average);
    case "regression":
      return (results) => {
        const values = results.map((one) => (one as RegressionResult).value);
        return { kind: "regression", value: rule === "max" ? Math.max(...values) : average(values) };
      };
    case "series":
      return (results) => {
        const all = results as readonly SeriesResult[];
        const perStep = (lists: readonly (readonly number[])[]) =>
          lists[0]!.map((_, step) => average(lists.map((values) => values[step]!)));
        const [first] = all;
        return {
          kind: "series",
          values: perStep(all.map(({ values }) => values)),
          ...(first!.quantiles === undefined
            ? {}
            : {
                quantiles: first!.quantiles.map(({ level }, q) => ({
                  level,
                  values: perStep(all.map(({ quantiles }) => quantiles![q]!.values)),
                })),
              }),
        };
      };
    case "text":
      return (results) => {
        const votes = Map.groupBy(results as readonly TextResult[], ({ text }) => text);
        return [...votes.values()].reduce((most, one) => (one.length > most.length ? one : most))[0]!;
      };
    case "ranking":
    case "spans":
      throw new RangeError(`answers of the kind ${head.kind} are not combined`);
  }
}

function classifications(
  head: ClassificationHead,
  rule: CombineRule,
  average: (values: readonly number[]) => number,
): (results: readonly HeadResult[]) => HeadResult {
  const { labels } = head;
  const answer = classificationAnswer(head);
  return (given) => {
    const results = given as readonly ClassificationResult[];
    if (rule === "vote")
      return answer(labels.map((label) => results.filter((one) => one.label === label).length / results.length));
    if (rule === "max") {
      const sureness = (one: ClassificationResult) => one.probabilities[one.label]!;
      const surest = results.reduce((most, one) => (sureness(one) > sureness(most) ? one : most));
      return answer(labels.map((label) => surest.probabilities[label]!));
    }
    return answer(labels.map((label) => average(results.map(({ probabilities }) => probabilities[label]!))));
  };
}

/** A head's answer from the one number of an expression; null where the number is none that it can have. */
export function answerFromNumber(head: Head): ((value: unknown) => HeadResult | null) | null {
  if (head.kind === "regression") return (value) => (typeof value === "number" ? { kind: "regression", value } : null);
  if (head.kind !== "classification" || head.labels.length !== 2) return null;
  const positive = head.labels.indexOf(positiveLabel(head));
  const answer = classificationAnswer(head);
  return (value) =>
    typeof value !== "number" || value < 0 || value > 1
      ? null
      : answer(head.labels.map((_, i) => (i === positive ? value : 1 - value)));
}

/** Whether two heads give answers that can stand for one another. */
export function sameAnswers(a: Head, b: Head): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === "classification" && b.kind === "classification")
    return (
      a.labels.toSorted().join("\n") === b.labels.toSorted().join("\n") &&
      (a.labels.length !== 2 || positiveLabel(a) === positiveLabel(b)) &&
      a.threshold === b.threshold
    );
  if (a.kind === "series" && b.kind === "series")
    return a.horizon === b.horizon && (a.quantiles ?? []).join() === (b.quantiles ?? []).join();
  return true;
}
