import type { RankingResult, SpansResult, TextResult } from "../../models/core/postprocess/result.ts";
import type { RankingHead, SpansHead, TextHead } from "../../models/core/postprocess/schema.ts";
import type { DatasetRow } from "../dataset/row.ts";
import type { References, RelevantItems, TrueSpans, TrueValue } from "../dataset/true-value.ts";
import type { Answers, Span } from "../predictions/predictions.ts";
import { mismatch, type HeadColumns } from "./columns.ts";

type Columns = Omit<HeadColumns, "head" | "task">;

export function rankingColumns(head: RankingHead): Columns {
  return lists<RelevantItems>(
    head.name,
    "relevant",
    "a list of relevant items",
    (result) => (result as RankingResult).items.map(({ id }) => id),
    (labels, ranked) => ({
      kind: "ranking",
      relevant: labels.map(({ items }) => items),
      // Where the dataset has gains, every row has them.
      gains: labels.some(({ gains }) => gains === null) ? null : labels.map(({ gains }) => gains!),
      ranked: ranked as string[][],
    }),
    (answers) => (answers.kind === "ranking" ? answers.ranked : null),
  );
}

export function spansColumns(head: SpansHead): Columns {
  return lists<TrueSpans>(
    head.name,
    "spans",
    "a list of spans",
    (result) => (result as SpansResult).spans.map(({ start, end, type }): Span => ({ start, end, type })),
    (labels, predicted) => ({
      kind: "spans",
      label: labels.map(({ spans }) => spans),
      predicted: predicted as Span[][],
    }),
    (answers) => (answers.kind === "spans" ? answers.predicted : null),
  );
}

export function textColumns(head: TextHead): Columns {
  return lists<References>(
    head.name,
    "references",
    "a text, or a list of texts",
    (result) => (result as TextResult).text,
    (labels, hypotheses) => ({
      kind: "text",
      references: labels.map(({ texts }) => texts),
      hypotheses: hypotheses as string[],
      audioSeconds: labels.some(({ audioSeconds }) => audioSeconds === null)
        ? null
        : Float64Array.from(labels, ({ audioSeconds }) => audioSeconds!),
    }),
    (answers) => (answers.kind === "text" ? answers.hypotheses : null),
  );
}

/** Columns of a head whose answers are lists or texts. */
function lists<T extends Exclude<TrueValue, string | number>>(
  head: string,
  kind: T["kind"],
  expected: string,
  list: NonNullable<HeadColumns["list"]>,
  answersOf: (labels: T[], lists: readonly unknown[]) => Answers,
  listsOf: (answers: Answers) => readonly unknown[] | null,
): Columns {
  const labelOf = (row: DatasetRow): T => {
    const label = row.labels[head];
    if (typeof label !== "object" || label.kind !== kind) throw mismatch(head, row, expected);
    return label as T;
  };
  return {
    classes: [],
    width: 0,
    write: () => {},
    list,
    check: labelOf,
    collect: (rows, answers) => ({
      labels: new Float64Array(),
      scores: new Float64Array(),
      classes: [],
      answers: answersOf(rows.map(labelOf), answers.lists),
    }),
    recover({ answers }, rows) {
      const found = answers === undefined ? null : listsOf(answers);
      return found?.length === rows.length ? { numbers: new Float64Array(), lists: found } : null;
    },
  };
}
