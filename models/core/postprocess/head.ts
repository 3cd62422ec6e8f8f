import { ConfigurationError, EvaluationError } from "../errors.ts";
import { applyInverse } from "./inverse.ts";
import type { ClassificationHead, Head, RegressionHead } from "./schema.ts";
import { sigmoid } from "./sigmoid.ts";
import { softmax } from "./softmax.ts";

export type ClassificationResult = {
  kind: "classification";
  /**
   * The most probable label; the earlier one on a tie. Of a binary head with a `threshold`: the positive one where the
   * score reaches it.
   */
  label: string;
  /** Binary: probability of the positive label. Otherwise: of `label`. */
  score: number;
  /** Label → probability, in the head's order. */
  probabilities: Record<string, number>;
};
export type RegressionResult = { kind: "regression"; value: number };
export type HeadResult = ClassificationResult | RegressionResult;

/**
 * Turns the raw numbers of one row into the head's result.
 *
 * @throws EvaluationError naming head and row.
 */
export type CompiledHead = {
  head: Head;
  /** Numbers per row that the head reads. */
  width: number;
  /** Reads one row; `values` holds nothing else. */
  read(values: ArrayLike<number>, rowName: string): HeadResult;
  /** Reads the row that starts at `from`. `rowName` is called only for an error. */
  readAt(values: ArrayLike<number>, from: number, rowName: () => string): HeadResult;
};

/** How far outside [0, 1] a given probability may be. float16 outputs are no more exact than this. */
const RANGE_TOLERANCE = 1e-2;
/** How far from 1 the sum of given probabilities may be; a gate tells of sums that are not 1. */
const SUM_TOLERANCE = 5e-2;

/** The label whose probability is the score of a binary head. */
export function positiveLabel(head: ClassificationHead): string {
  return head.positive ?? head.labels.at(-1)!;
}

/**
 * @param place names the head in the manifest; called only for an error.
 * @param outputWidth numbers per row of the graph output; null where it is not known.
 * @throws ConfigurationError when the head does not fit the output, has a label twice, or has one number per row for
 *   other than two labels.
 */
export function compileHead(head: Head, place: () => string, outputWidth: number | null): CompiledHead {
  const width = head.kind === "regression" ? 1 : classificationWidth(head, outputWidth, place);
  if (outputWidth !== null && outputWidth !== width) {
    throw new ConfigurationError({
      code: "head-width",
      place: place(),
      problem: `the head ${head.name} does not fit the output ${head.from}`,
      expected: head.kind === "regression" ? "one number per row" : `${width} numbers per row, one per label`,
      received: `${outputWidth} numbers per row`,
    });
  }
  const answer = head.kind === "regression" ? regression(head) : classification(head, width);
  const readAt = (values: ArrayLike<number>, from: number, rowName: () => string): HeadResult => {
    for (let i = 0; i < width; i++) {
      if (!Number.isFinite(values[from + i]))
        throw notFinite(head, rowName(), `${values[from + i]} at position ${i} of ${head.from}`);
    }
    return answer(values, from, rowName);
  };
  return {
    head,
    width,
    readAt,
    read(values, rowName) {
      if (values.length !== width)
        throw new EvaluationError({
          code: "output-size",
          place: rowName,
          problem: `the output ${head.from} has another size than the head ${head.name} reads`,
          expected: `${width} numbers per row`,
          received: values.length === 0 ? "another number of rows than it was fed" : String(values.length),
        });
      return readAt(values, 0, () => rowName);
    },
  };
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

function classification(head: ClassificationHead, width: number) {
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

function regression(head: RegressionHead) {
  return (values: ArrayLike<number>, from: number, rowName: () => string): RegressionResult => {
    const value = applyInverse(values[from]!, head.inverse);
    if (!Number.isFinite(value)) throw notFinite(head, rowName(), `${value} after the inverse of ${values[from]}`);
    return { kind: "regression", value };
  };
}

function notFinite(head: Head, rowName: string, received: string): EvaluationError {
  return new EvaluationError({
    code: "output-not-finite",
    place: rowName,
    problem: `the head ${head.name} gives no finite number`,
    expected: "finite numbers",
    received,
  });
}
