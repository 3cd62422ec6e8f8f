import { ConfigurationError, EvaluationError } from "../../models/core/errors.ts";
import { didYouMean } from "../../models/core/did-you-mean.ts";
import { parseDecimal } from "../dataset/formats/cells.ts";
import { firstRowOf, type TextColumn } from "./text-column.ts";

export type BinaryLabelOptions = {
  /** The classes that the file's columns p_CLASS name, where it has them in place of `score`. */
  columns?: readonly [string, string];
  /** [negative, positive], when known. Labels may then be these names, or 0 and 1. */
  classes?: readonly [string, string];
  /** The positive label, when labels are two texts. */
  positive?: string;
};

/** 0 or 1 for the common spellings of false and true; null for every other text, which is a name. */
function bit(text: string): 0 | 1 | null {
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true" ? 1 : 0;
  const number = parseDecimal(text);
  return number === 0 || number === 1 ? number : null;
}

/**
 * Reads the label column of a binary task: 0/1, true/false, or two names. Of two names, the positive one is `positive`,
 * else the last in sorted order; a note then says so. With columns p_CLASS the two names are theirs.
 *
 * @param column the labels in normal form
 * @param placeOf FILE:LINE of a row
 * @returns `labels` 0 or 1 per row, `classes` [negative, positive]
 * @throws EvaluationError `binary-labels`; ConfigurationError `positive-label`
 */
export function binaryLabels(
  column: TextColumn,
  placeOf: (row: number) => string,
  { classes, columns, positive }: BinaryLabelOptions,
): { labels: Float64Array; classes: [string, string]; note: string | null } {
  const { values, codes } = column;
  const encode = (indexOf: (text: string) => number, names: [string, string], note: string | null = null) => {
    const classOf = values.map(indexOf);
    const labels = new Float64Array(codes.length);
    for (let i = 0; i < labels.length; i++) labels[i] = classOf[codes[i] as number] as number;
    return { labels, classes: names, note };
  };
  const tooMany = (value: string, expected: string) =>
    new EvaluationError({
      code: "binary-labels",
      place: placeOf(firstRowOf(column, values.indexOf(value))),
      problem: `label ${JSON.stringify(value.slice(0, 80))} does not belong to a binary task`,
      expected,
      received: `${values.length} different labels: ${values
        .slice(0, 6)
        .map((value) => JSON.stringify(value.slice(0, 40)))
        .join(", ")}${values.length > 6 ? ", …" : ""}`,
    });

  if (classes !== undefined) {
    const strange = values.find((value) => !classes.includes(value) && bit(value) === null);
    if (strange !== undefined) throw tooMany(strange, `${classes[0]}, ${classes[1]}, or 0 and 1`);
    // Names take precedence: with classes called "1" and "0", a label is a name, not a number.
    return encode((text) => (classes.includes(text) ? classes.indexOf(text) : bit(text)!), [classes[0], classes[1]]);
  }
  if (columns !== undefined) {
    const names = columns.toSorted() as [string, string];
    if (positive !== undefined && !names.includes(positive)) throw unknownPositive(positive, names);
    const last = positive ?? names[1];
    const negative = names.find((name) => name !== last) as string;
    // p_0 and p_1 also name the labels 0.0 and 1.0.
    const bits = names.map(bit);
    const named = (text: string): string | undefined =>
      names.includes(text) || bits.includes(null) || bit(text) === null ? text : names[bits.indexOf(bit(text))];
    const strange = values.find((value) => !names.includes(named(value) ?? value));
    if (strange !== undefined) throw tooMany(strange, `${names[0]} or ${names[1]}, as the columns p_… name them`);
    return encode(
      (text) => (named(text) === last ? 1 : 0),
      [negative, last],
      positive !== undefined || bit(last) === 1
        ? null
        : `p_${last} is taken as the score: ${JSON.stringify(last)}, the last in sorted order, is the positive label (--positive chooses)`,
    );
  }
  if (values.every((value) => bit(value) !== null)) {
    const names: [string, string] = values.some((value) => /^[tf]/i.test(value)) ? ["false", "true"] : ["0", "1"];
    const flipped = positive !== undefined && bit(positive) === 0;
    if (positive !== undefined && bit(positive) === null) throw unknownPositive(positive, names);
    return encode((text) => (flipped ? 1 - bit(text)! : bit(text)!), flipped ? [names[1], names[0]] : names);
  }
  if (values.length > 2) throw tooMany(values[2]!, "0 and 1, true and false, or two names");
  const sorted = values.toSorted();
  if (positive === undefined) {
    if (sorted.length === 1)
      throw new EvaluationError({
        code: "binary-labels",
        place: placeOf(0),
        problem: `every label is ${JSON.stringify(sorted[0]!.slice(0, 80))}, which does not tell whether it is the positive one`,
        expected: "0 and 1, true and false, two names, or --positive",
        example: `--positive ${sorted[0]}`,
      });
    const [negative, last] = sorted as [string, string];
    return encode(
      (text) => (text === last ? 1 : 0),
      [negative, last],
      `labels are ${JSON.stringify(negative)} and ${JSON.stringify(last)}; ${JSON.stringify(last)}, the last in sorted order, is taken as positive (--positive chooses)`,
    );
  }
  if (!sorted.includes(positive) && sorted.length === 2) throw unknownPositive(positive, sorted);
  const negative = sorted.find((value) => value !== positive) ?? `not ${positive}`;
  return encode((text) => (text === positive ? 1 : 0), [negative, positive]);
}

function unknownPositive(positive: string, values: readonly string[]): ConfigurationError {
  const near = didYouMean(positive, values);
  return new ConfigurationError({
    code: "positive-label",
    place: "--positive",
    problem: "no row has this label",
    expected: values.join(" or "),
    received: positive,
    ...(near === null ? {} : { hint: `did you mean ${near}?` }),
  });
}
