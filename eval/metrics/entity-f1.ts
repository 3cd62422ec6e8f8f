import type { Answers, Span } from "../predictions/predictions.ts";
import type { AnswerRows, MetricDefinition, Sample } from "./definition.ts";
import { cellsOfRows, onceForAnswers } from "./once-for-answers.ts";
import { sumDefinition } from "./row-mean.ts";

type Spans = Extract<Answers, { kind: "spans" }>;

function spansOf({ answerRows }: Sample): AnswerRows<Spans> | null {
  return answerRows?.of.kind === "spans" ? (answerRows as AnswerRows<Spans>) : null;
}

/** Per row: twice the spans that are right, and the spans that are labelled or predicted. */
function rowCounts(answers: Spans, type: string | undefined): Float64Array {
  return onceForAnswers(answers, `spans ${JSON.stringify(type ?? null)}`, () => {
    const cells = new Float64Array(2 * answers.label.length);
    const counts = (span: Span): boolean => type === undefined || span.type === type;
    answers.label.forEach((all, row) => {
      const label = all.filter(counts);
      const predicted = (answers.predicted[row] as Span[]).filter(counts);
      // Spans of one side share no character, so a start says which span it can be.
      const starts = new Map(label.map((span) => [span.start, span]));
      for (const { start, end, type: found } of predicted) {
        const true_ = starts.get(start);
        if (true_?.end === end && true_.type === found) cells[2 * row] = (cells[2 * row] as number) + 2;
      }
      cells[2 * row + 1] = label.length + predicted.length;
    });
    return cells;
  });
}

/** More types than this are not measured one by one unless a check names them. */
const maxTypes = 50;

function typesOf(answers: Spans): string[] {
  return onceForAnswers(answers, "types", () => {
    const types = new Set([...answers.label, ...answers.predicted].flatMap((row) => row.map(({ type }) => type)));
    return [...types].sort();
  });
}

/**
 * F1 over entities: 2 TP / (labelled + predicted), counted over all rows (micro); [0, 1], higher is better. A predicted
 * span is right when type, start and end are those of a labelled one. As seqeval's f1_score(mode="strict", average=
 * "micro") on the spans of its tags. Undefined where nothing is labelled or predicted (seqeval says 0). With
 * `entityType`, of one type. E. F. Tjong Kim Sang and F. De Meulder, CoNLL 2003.
 * Interval: of a ratio of sums, BCa over rows (sentences), ABC above 5,000.
 */
export const entityF1: MetricDefinition = {
  ...sumDefinition(
    {
      name: "entity_f1",
      tasks: ["token-classification"],
      direction: "higher",
      unit: "",
      range: [0, 1],
      defaultOptions: {},
      furtherOptions: ["entityType"],
    },
    {
      demand: "any",
      range: [0, 1],
      byClass: false,
      heavyTails: "always",
      prepare(sample, { entityType }) {
        const spans = spansOf(sample);
        if (spans === null) return "the predictions are no spans";
        const cells = cellsOfRows(spans, rowCounts(spans.of, entityType), 2);
        let rowsWithSpans = 0;
        for (let i = 1; i < cells.length; i += 2) if (cells[i] !== 0) rowsWithSpans++;
        return {
          cells,
          width: 2,
          value: (sums, offset) => (sums[offset] as number) / (sums[offset + 1] as number),
          whyUndefined: `no entity${entityType === undefined ? "" : ` of type ${entityType}`} is labelled or predicted`,
          linear: false,
          trials: Math.max(1, rowsWithSpans),
          largest: 1,
        };
      },
    },
  ),
  signature: (_, { entityType }) => `match:strict|average:micro|type:${entityType ?? "all"}`,
  variants(sample) {
    const spans = spansOf(sample);
    const types = spans === null ? [] : typesOf(spans.of);
    return types.length < 2 || types.length > maxTypes ? [] : types.map((entityType) => ({ entityType }));
  },
};
