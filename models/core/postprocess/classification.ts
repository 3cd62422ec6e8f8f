import { ConfigurationError, EvaluationError } from "../errors.ts";
import type { NumbersHead } from "./compiled.ts";
import { numbersHead } from "./numbers-head.ts";
import type { ClassificationResult } from "./result.ts";
import type { ClassificationHead } from "./schema.ts";
import { sigmoid } from "./sigmoid.ts";
import { softmax } from "./softmax.ts";

/** How far outside [0, 1] a given probability may be. float16 outputs are no more exact than this. */
const RANGE_TOLERANCE = 1e-2;
/** How far from 1 the sum of given probabilities may be; a gate tells of sums that are not 1. */
const SUM_TOLERANCE = 5e-2;

/** The label whose probability is the score of a binary head. */
export function positiveLabel(head: ClassificationHead): string {
  return head.positive ?? head.labels.at(-1)!;
}

function classificationWidth(head: ClassificationHead, outputWidth: number | null, place: () => string): number {
  const single = head.activation === "sigmoid" || (head.activation === "none" && outputWidth === 1);
  if (single && head.labels.length !== 2)
    throw new ConfigurationError({
      code: "head-labels",
      place: place(),
      problem: "one number per row tells two labels apart, no more",
      expected: "two labels",
      received: `${head.labels.length} labels: ${head.labels.join(", ")}`,
    });
  if (new Set(head.labels).size !== head.labels.length)
    throw new ConfigurationError({
      code: "head-labels",
      place: place(),
      problem: "a label stands twice",
      expected: "every label once",
      received: head.labels.join(", "),
    });
  return single ? 1 : head.labels.length;
}

/**
 * @throws ConfigurationError when the head does not fit the output, has a label twice, or has one number per row for
 *   other than two labels.
 */
export function compileClassification(
  head: ClassificationHead,
  place: () => string,
  outputWidth: number | null,
): NumbersHead {
  const width = classificationWidth(head, outputWidth, place);
  if (head.top !== undefined && head.top > head.labels.length)
    throw new ConfigurationError({
      code: "head-top",
      place: place(),
      problem: `the head ${head.name} is to list more labels than it has`,
      expected: `at most ${head.labels.length}`,
      received: String(head.top),
      example: `top: ${Math.min(5, head.labels.length)}`,
    });
  return numbersHead(head, width, "one per label", outputWidth, place, reader(head, width));
}

function reader(head: ClassificationHead, width: number) {
  const answer = classificationAnswer(head);
  return (values: ArrayLike<number>, from: number, rowName: () => string): ClassificationResult =>
    answer(probabilitiesOf(head, values, from, width, rowName));
}

/** Turns the probabilities of a head's labels, in the head's order, into its answer. */
export function classificationAnswer(head: ClassificationHead): (given: readonly number[]) => ClassificationResult {
  const { labels, threshold } = head;
  const binary = labels.length === 2 ? labels.indexOf(positiveLabel(head)) : null;
  // An assignment to `__proto__` would set the prototype and add no property.
  const plain = !labels.includes("__proto__");
  return (given) => {
    let top = 0;
    for (let i = 1; i < given.length; i++) if (given[i]! > given[top]!) top = i;
    if (threshold !== undefined && binary !== null) top = given[binary]! >= threshold ? binary : 1 - binary;
    let probabilities: Record<string, number> = {};
    if (plain) for (let i = 0; i < labels.length; i++) probabilities[labels[i]!] = given[i]!;
    else probabilities = Object.fromEntries(labels.map((label, i) => [label, given[i]!]));
    return { kind: "classification", label: labels[top]!, score: given[binary ?? top]!, probabilities };
  };
}

function probabilitiesOf(
  head: ClassificationHead,
  values: ArrayLike<number>,
  from: number,
  width: number,
  rowName: () => string,
): number[] {
  if (head.activation === "softmax") return softmax(values, from, width);
  if (head.activation === "sigmoid") return [sigmoid(-values[from]!), sigmoid(values[from]!)];
  const given =
    width === 1 ? [1 - values[from]!, values[from]!] : Array.from({ length: width }, (_, i) => values[from + i]!);
  const sum = given.reduce((total, p) => total + p, 0);
  if (given.some((p) => p < -RANGE_TOLERANCE || p > 1 + RANGE_TOLERANCE) || Math.abs(sum - 1) > SUM_TOLERANCE) {
    throw new EvaluationError({
      code: "output-not-probabilities",
      place: rowName(),
      problem: `the head ${head.name} has activation none, but ${head.from} gives no probabilities`,
      expected: "numbers from 0 to 1 that sum to 1",
      received: given.map((p) => p.toPrecision(4)).join(", "),
      example: "activation: softmax",
    });
  }
  return given;
}
