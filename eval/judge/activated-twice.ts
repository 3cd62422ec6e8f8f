import type { Predictions } from "../predictions/predictions.ts";

/** Fewest rows by which scores are shown to have gone through an activation twice. */
const enoughRows = 100;

/** Standard errors by which the other reading must be better: by chance once in three million. */
const certain = 5;

/** How far rounding may take what was a probability. */
const slack = 1e-3;

/** Mean log loss, in nats, of the scores as they are, and of what they were before the activation. */
export type ActivatedTwice = { asGiven: number; asProbabilities: number };

/**
 * Whether classification scores look like an activation of what were already probabilities: undone, the activation gives
 * a probability on every row, and as such it fits the labels better than the scores do, by five standard errors of the
 * mean difference in log loss. A calibrated model never does the second, however weak it is.
 *
 * For one logit, sigmoid is undone: p = ln(s / (1 - s)). For k classes, softmax is: p_i = ln s_i + (1 - Σ ln s) / k,
 * the one solution that sums to 1. Null where it does not look so, and below 100 rows.
 *
 * @param activation how a binary score came about; multiclass scores are softmax's
 */
export function activatedTwice(
  { labels, scores, classes }: Pick<Predictions, "labels" | "scores" | "classes">,
  activation: "sigmoid" | "softmax",
): ActivatedTwice | null {
  const rows = labels.length;
  if (rows < enoughRows || classes.length < 2) return null;
  let asGiven = 0;
  let asProbabilities = 0;
  let squares = 0;
  for (let row = 0; row < rows; row++) {
    const given =
      classes.length === 2
        ? [1 - scores[row]!, scores[row]!]
        : Array.from({ length: classes.length }, (_, k) => scores[row * classes.length + k]!);
    const before = undone(given, activation);
    if (before === null) return null;
    const label = labels[row]!;
    const [as, was] = [-Math.log(given[label]!), -Math.log(Math.max(Number.EPSILON, before[label]!))];
    asGiven += as;
    asProbabilities += was;
    squares += (as - was) ** 2;
  }
  const gain = (asGiven - asProbabilities) / rows;
  const standardError = Math.sqrt(Math.max(0, squares / rows - gain ** 2) / rows);
  return gain > certain * standardError && gain > 0
    ? { asGiven: asGiven / rows, asProbabilities: asProbabilities / rows }
    : null;
}

/** The probabilities before the activation, or null if there were none. */
function undone(given: readonly number[], activation: "sigmoid" | "softmax"): number[] | null {
  if (given.some((score) => !(score > 0 && score < 1))) return null;
  const logs = given.map(Math.log);
  let before: number[];
  if (activation === "sigmoid") {
    const p = logs[1]! - logs[0]!;
    before = [1 - p, p];
  } else {
    const shift = (1 - logs.reduce((sum, log) => sum + log, 0)) / given.length;
    before = logs.map((log) => log + shift);
  }
  return before.every((p) => p >= -slack && p <= 1 + slack) ? before : null;
}
