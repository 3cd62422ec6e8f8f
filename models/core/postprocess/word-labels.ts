import { ConfigurationError } from "../errors.ts";

/** A label of token classification, taken apart. `opens`: always begins a span; `closes`: always ends one. */
export type WordLabel = { type: string; opens: boolean; closes: boolean } | null;

const PREFIXES: Readonly<Record<string, { opens: boolean; closes: boolean }>> = {
  B: { opens: true, closes: false },
  I: { opens: false, closes: false },
  E: { opens: false, closes: true },
  L: { opens: false, closes: true },
  S: { opens: true, closes: true },
  U: { opens: true, closes: true },
};

/**
 * The labels of a head as prefix and type; null for O.
 *
 * @throws ConfigurationError `head-labels` for a label of another form, one that stands twice, and labels without O or
 *   without a type
 */
export function readWordLabels(labels: readonly string[], head: string, place: () => string): WordLabel[] {
  const refuse = (problem: string, received: string) =>
    new ConfigurationError({
      code: "head-labels",
      place: place(),
      problem,
      expected: "O and B-TYPE, I-TYPE for each type, in the order of the graph's classes",
      received,
      example: "labels: [O, B-PER, I-PER, B-LOC, I-LOC]",
    });
  if (new Set(labels).size !== labels.length)
    throw refuse(`a label of the head ${head} stands twice`, labels.join(", "));
  const read = labels.map((label): WordLabel => {
    if (label === "O") return null;
    const match = /^([BIELSU])-(.+)$/.exec(label);
    if (match === null) throw refuse(`the head ${head} has a label that says nothing about spans`, label);
    return { type: match[2]!, ...PREFIXES[match[1]!]! };
  });
  if (!read.includes(null) || read.every((one) => one === null))
    throw refuse(`the head ${head} has no label for words in a span, or none for words outside`, labels.join(", "));
  return read;
}

/**
 * Runs of words with the same type, as [first, last] word and type. As in seqeval's default mode, a word whose label
 * goes on with a span that is not open begins one.
 */
export function spansOfLabels(labels: readonly WordLabel[]): { first: number; last: number; type: string }[] {
  const spans: { first: number; last: number; type: string }[] = [];
  let open: (typeof spans)[number] | null = null;
  labels.forEach((label, word) => {
    if (label === null) {
      open = null;
      return;
    }
    if (open !== null && !label.opens && open.type === label.type) open.last = word;
    else spans.push((open = { first: word, last: word, type: label.type }));
    if (label.closes) open = null;
  });
  return spans;
}

/** The types that labels of a spans head can give, in their order. */
export function spanTypes(labels: readonly string[]): string[] {
  return [...new Set(labels.flatMap((label) => (label === "O" ? [] : [label.slice(2)])))];
}
