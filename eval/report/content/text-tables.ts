import { chrf } from "../../metrics/chrf.ts";
import { sampleOf } from "../../metrics/measure.ts";
import { selectRows } from "../../predictions/select-rows.ts";
import { referenceCount } from "../../metrics/texts.ts";
import { wer } from "../../metrics/wer.ts";
import type { Predictions } from "../../predictions/predictions.ts";
import { rowValue, threeDecimals } from "./row-value.ts";
import { type Cell, maxRows, type Piece, type TaskTable } from "./task-table.ts";
import { differing, wordDifferences } from "./word-differences.ts";

/** References that are looked through for the one that a text is nearest to. */
const maxReferences = 4;

/** The texts that are farthest from their references, with what differs. */
export function textTables(candidate: Predictions, baseline: Predictions | null): TaskTable[] {
  const { answers, ids } = candidate;
  if (answers?.kind !== "text") return [];
  const theirs = baseline?.answers?.kind === "text" ? baseline.answers.hypotheses : null;
  const everyRow = Int32Array.from(ids.keys());
  const mine = sampleOf(candidate, everyRow);
  const other = baseline === null ? null : sampleOf(baseline, everyRow);
  const metric = candidate.task === "translation" || referenceCount(mine) !== "1" ? chrf : wer;
  const valueOf = (sample: typeof mine, row: number) => rowValue(metric, selectRows(sample, Int32Array.of(row)), {});
  // Undefined is a text where the reference is empty: every word of it is wrong.
  const badness = (value: number | null) =>
    value === null ? Number.MAX_VALUE : metric.direction === "higher" ? -value : value;
  const wrong = ids
    .flatMap((id, row) =>
      (answers.references[row] as string[]).includes(answers.hypotheses[row] as string)
        ? []
        : [{ id, row, value: valueOf(mine, row) }],
    )
    .toSorted((a, b) => badness(b.value) - badness(a.value));
  if (wrong.length === 0) return [];
  const rows = wrong.slice(0, maxRows).map(({ id, row, value }): Cell[] => {
    const nearest = (text: string) => nearestDifferences(answers.references[row] as string[], text);
    return [
      { text: id },
      { text: threeDecimals(value) },
      ...(other === null ? [] : [{ text: threeDecimals(valueOf(other, row)) }]),
      {
        lines: [
          { label: "candidate", pieces: nearest(answers.hypotheses[row] as string), list: false },
          ...(theirs === null ? [] : [{ label: "baseline", pieces: nearest(theirs[row] as string), list: false }]),
        ],
      },
    ];
  });
  return [
    {
      name: "Texts, the worst first",
      about: `Texts, the worst first by ${metric.name} of the row. Struck out is what the reference has and the text has not; underlined is what the text has instead.`,
      columns: [
        { title: "row", numeric: false },
        { title: "candidate", numeric: true },
        ...(other === null ? [] : [{ title: "baseline", numeric: true }]),
        { title: "reference and text", numeric: false },
      ],
      rows,
      left: wrong.length - rows.length,
    },
  ];
}

function nearestDifferences(references: readonly string[], text: string): Piece[] {
  const all = references.slice(0, maxReferences).map((reference) => wordDifferences(reference, text));
  return all.toSorted((a, b) => differing(a) - differing(b))[0] ?? [];
}
