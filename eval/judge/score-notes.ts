import { auroc } from "../metrics/auroc.ts";
import { unscaledNote } from "../metrics/mase.ts";
import type { Measurer } from "../metrics/measure.ts";
import type { Predictions } from "../predictions/predictions.ts";
import { activatedTwice } from "./activated-twice.ts";

const level = 0.95;

/** Fewest rows of a class by which its answers are said to go elsewhere. */
const fewOfAClass = 30;

/** How far a sum of float32 probabilities may be from 1. */
const sumTolerance = 1e-3;

/**
 * What is odd about classification scores that metrics take as they are: outside [0, 1], not summing to 1, the same on
 * every row, of swapped classes, or activated twice. One sentence each, about all rows.
 *
 * @param who "candidate" or "baseline"
 */
export function scoreNotes(who: string, measurer: Measurer): string[] {
  const { predictions } = measurer;
  // The scales belong to the rows, so that one of the two models says it.
  const unscaled = who === "candidate" ? unscaledNote(predictions) : null;
  if (unscaled !== null) return [unscaled];
  if (predictions.classes.length < 2 || predictions.labels.length === 0) return [];
  const head = predictions.head === "" ? "" : ` (head ${predictions.head})`;
  return [
    outside(predictions),
    sums(predictions),
    constant(predictions),
    predictions.classes.length === 2 ? belowChance(measurer) : permuted(predictions),
    twice(predictions),
  ].flatMap((note) => (note === null ? [] : [`The ${who}'s scores${head} ${note}`]));
}

function outside({ scores }: Predictions): string | null {
  let rows = 0;
  let worst = 0.5;
  for (const score of scores) {
    if (score >= 0 && score <= 1) continue;
    rows++;
    if (Math.abs(score - 0.5) > Math.abs(worst - 0.5)) worst = score;
  }
  return rows === 0
    ? null
    : `lie outside [0, 1] ${rows} times of ${scores.length}, e.g. ${worst}: they are no probabilities, and log_loss, brier and ece are not defined on them.`;
}

function sums({ scores, classes }: Predictions): string | null {
  if (classes.length === 2) return null;
  let rows = 0;
  let worst = 1;
  for (let at = 0; at < scores.length; at += classes.length) {
    let sum = 0;
    for (let k = 0; k < classes.length; k++) sum += scores[at + k]!;
    if (Math.abs(sum - 1) <= sumTolerance) continue;
    rows++;
    if (Math.abs(sum - 1) > Math.abs(worst - 1)) worst = sum;
  }
  return rows === 0
    ? null
    : `do not sum to 1 on ${rows} of ${scores.length / classes.length} rows, e.g. ${Number(worst.toPrecision(6))}; they are scored as given, as scikit-learn does, and not normalised.`;
}

function constant({ scores, classes, labels }: Predictions): string | null {
  if (new Set(labels).size < 2) return null;
  const width = classes.length === 2 ? 1 : classes.length;
  if (scores.every((score, i) => score === scores[i % width]))
    return "are the same on every row: the model tells nothing apart.";
  if (width === 1) return null;
  const chosen = new Set(Array.from(labels, (_, row) => topClass(scores, row, width)));
  const [only] = chosen;
  return chosen.size === 1 ? `are highest for the class ${classes[only!]} on every row.` : null;
}

/** An AUROC that is below one half, interval and all: the classes are the wrong way round. */
function belowChance(measurer: Measurer): string | null {
  // Ranking a million rows takes a second; their means say at once that most models need none of it.
  if (!positivesScoreLower(measurer.predictions)) return null;
  const found = measurer.figure(auroc, "all", {}, level);
  if (found.status !== "ok" || found.interval === null || found.interval.high >= 0.5) return null;
  const { low, high } = found.interval;
  const [negative, positive] = measurer.predictions.classes;
  return `rank ${positive} below ${negative}: AUROC ${found.value.toFixed(4)}, ${100 * level} % interval [${low.toFixed(4)}, ${high.toFixed(4)}], is below 0.5. The classes look swapped: check the order of \`labels\`, and \`positive\`.`;
}

function positivesScoreLower({ labels, scores }: Predictions): boolean {
  const sums = [0, 0];
  const rows = [0, 0];
  for (const [row, label] of labels.entries()) {
    sums[label]! += scores[row]!;
    rows[label]! += 1;
  }
  return sums[1]! / rows[1]! < sums[0]! / rows[0]!;
}

/** Classes whose rows go mostly to one another: their columns are in another order than `labels` says. */
function permuted({ scores, labels, classes }: Predictions): string | null {
  const answers = classes.map(() => new Array<number>(classes.length).fill(0));
  for (const [row, label] of labels.entries()) answers[label]![topClass(scores, row, classes.length)]! += 1;
  const mostly = answers.map((counts) => {
    const rows = counts.reduce((sum, count) => sum + count, 0);
    const most = counts.indexOf(Math.max(...counts));
    return rows >= fewOfAClass && counts[most]! > rows / 2 ? most : -1;
  });
  const moved = [...mostly.keys()].filter((k) => mostly[k] !== -1 && mostly[k] !== k);
  const cycle = moved.filter(
    (k) => moved.includes(mostly[k]!) && moved.filter((j) => mostly[j] === mostly[k]).length === 1,
  );
  return cycle.length < 2
    ? null
    : `answer ${cycle
        .slice(0, 6)
        .map((k) => `${classes[mostly[k]!]} for most rows of ${classes[k]}`)
        .join(", ")}. The classes look swapped: check the order of \`labels\`.`;
}

function twice(predictions: Predictions): string | null {
  const found =
    (predictions.classes.length === 2 ? activatedTwice(predictions, "sigmoid") : null) ??
    activatedTwice(predictions, "softmax");
  return found === null
    ? null
    : `look like an activation of what were already probabilities: undone, their log loss is ${found.asProbabilities.toFixed(4)} in place of ${found.asGiven.toFixed(4)}. Where they come from a model with an activation of its own, \`activation: none\` is right.`;
}

function topClass(scores: Float64Array, row: number, width: number): number {
  let best = 0;
  for (let k = 1; k < width; k++) if (scores[row * width + k]! > scores[row * width + best]!) best = k;
  return best;
}
