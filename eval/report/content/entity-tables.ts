import { entityF1 } from "../../metrics/entity-f1.ts";
import { sampleOf } from "../../metrics/measure.ts";
import type { Answers, Predictions, Span } from "../../predictions/predictions.ts";
import { rowValue, threeDecimals } from "./row-value.ts";
import { type Cell, listed, maxRows, type Piece, type TaskTable } from "./task-table.ts";

type Spans = Extract<Answers, { kind: "spans" }>;

const spansIn = ({ answers }: Predictions): Spans | null => (answers?.kind === "spans" ? answers : null);

/** F1 of each type of entity, the lowest first, and the texts with the most wrong entities. */
export function entityTables(candidate: Predictions, baseline: Predictions | null): TaskTable[] {
  const spans = spansIn(candidate);
  if (spans === null) return [];
  return [typeTable(candidate, baseline, spans), textTable(candidate, baseline, spans)].filter(
    ({ rows }) => rows.length > 0,
  );
}

/** Types whose F1 is measured with an interval; the others are counted. */
const maxTypes = 50;

function typeTable(candidate: Predictions, baseline: Predictions | null, { label, predicted }: Spans): TaskTable {
  const labelled = new Map<string, number>();
  for (const { type } of predicted.flat()) labelled.set(type, 0);
  for (const { type } of label.flat()) labelled.set(type, (labelled.get(type) ?? 0) + 1);
  const everyRow = Int32Array.from(candidate.ids.keys());
  const mine = sampleOf(candidate, everyRow);
  const other = baseline === null ? null : sampleOf(baseline, everyRow);
  const figures = [...labelled]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, maxTypes)
    .map(([type, n]) => ({ type, n, result: entityF1.measure(mine, { entityType: type, level: 0.95, seed: 1 }) }))
    .toSorted(
      (a, b) => (a.result.status === "ok" ? a.result.value : 2) - (b.result.status === "ok" ? b.result.value : 2),
    );
  const rows = figures.map(({ type, n, result }): Cell[] => {
    const ends = result.status === "ok" ? result.interval : null;
    return [
      { text: type },
      { text: String(n) },
      {
        text: threeDecimals(result.status === "ok" ? result.value : null),
        ...(ends === null ? {} : { aside: `[${threeDecimals(ends.low)}, ${threeDecimals(ends.high)}]` }),
      },
      ...(other === null ? [] : [{ text: threeDecimals(rowValue(entityF1, other, { entityType: type })) }]),
    ];
  });
  return {
    name: "F1 per type of entity",
    about: "F1 per type of entity, the lowest first; n counts labelled entities, intervals are of 95 %.",
    columns: [
      { title: "type", numeric: false },
      { title: "n", numeric: true },
      { title: "F1", numeric: true },
      ...(other === null ? [] : [{ title: "baseline", numeric: true }]),
    ],
    rows,
    left: labelled.size - rows.length,
  };
}

const keyOf = ({ start, end, type }: Span): string => `${start} ${end} ${type}`;

/** The spans of one list that the other does not have. */
function without(spans: readonly Span[], others: readonly Span[]): Span[] {
  const known = new Set(others.map(keyOf));
  return spans.filter((span) => !known.has(keyOf(span)));
}

function textTable(candidate: Predictions, baseline: Predictions | null, { label, predicted }: Spans): TaskTable {
  const theirs = baseline === null ? null : spansIn(baseline);
  const wrong = candidate.ids
    .map((id, row) => {
      const [truth, answer] = [label[row] as Span[], predicted[row] as Span[]];
      return { id, row, truth, missed: without(truth, answer), invented: without(answer, truth) };
    })
    .filter(({ missed, invented }) => missed.length + invented.length > 0)
    .toSorted((a, b) => b.missed.length + b.invented.length - a.missed.length - a.invented.length);
  const rows = wrong.slice(0, maxRows).map(({ id, row, truth, missed, invented }): Cell[] => {
    const before = theirs?.predicted[row];
    const ofBaseline = before === undefined ? null : [without(truth, before), without(before, truth)];
    return [
      { text: id },
      { text: String(missed.length + invented.length) },
      ...(ofBaseline === null ? [] : [{ text: String(ofBaseline.flat().length) }]),
      {
        lines: [
          { label: "missed", pieces: pieces(missed, "missing"), list: true },
          { label: "invented", pieces: pieces(invented, "added"), list: true },
        ].filter((line) => line.pieces.length > 0),
      },
    ];
  });
  return {
    name: "Texts, the worst first",
    about: "Texts with the most wrong entities first. Offsets are [start, end) in UTF-16 code units.",
    columns: [
      { title: "text", numeric: false },
      { title: "wrong", numeric: true },
      ...(theirs === null ? [] : [{ title: "baseline", numeric: true }]),
      { title: "entities", numeric: false },
    ],
    rows,
    left: wrong.length - rows.length,
  };
}

const pieces = (spans: readonly Span[], kind: Piece["kind"]): Piece[] =>
  listed(spans.map(({ type, start, end }) => ({ text: `${type} [${start}, ${end})`, kind })));
