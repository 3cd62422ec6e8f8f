import { EvaluationError } from "../../models/core/errors.ts";
import type { Task } from "../../models/core/manifest/manifest.ts";
import { didYouMean } from "../../models/core/did-you-mean.ts";
import { parseDecimal } from "../dataset/formats/cells.ts";
import { findForecastColumns, isForecastColumn, type ForecastColumns } from "./forecast-columns.ts";

/** Layout of a task's prediction files. */
export type Layout = "binary" | "multiclass" | "number" | "forecast" | AnswerLayout;
/** Layouts whose rows hold `Answers` in place of labels and scores. */
export type AnswerLayout = "ranking" | "spans" | "text";

const layouts: Record<Task, Layout> = {
  "binary-classification": "binary",
  "multiclass-classification": "multiclass",
  regression: "number",
  forecasting: "forecast",
  ranking: "ranking",
  "token-classification": "spans",
  "speech-to-text": "text",
  translation: "text",
  "text-generation": "text",
};

export function layoutOf(task: Task): Layout {
  return layouts[task];
}

/** The columns of each layout of answers, those that a file may lack last. */
const answerColumns: Record<AnswerLayout, { needed: readonly string[]; optional: readonly string[] }> = {
  ranking: { needed: ["relevant", "ranked"], optional: ["gains"] },
  spans: { needed: ["label", "predicted"], optional: [] },
  text: { needed: ["reference", "hypothesis"], optional: ["audio_seconds"] },
};

export function isAnswerLayout(layout: Layout): layout is AnswerLayout {
  return Object.hasOwn(answerColumns, layout);
}

/** Whether labels are numbers. */
export function hasNumbers(layout: Layout): boolean {
  return layout === "number" || layout === "forecast";
}

export const classColumnPrefix = "p_";
export const naiveScaleColumn = "naive_scale";
export const entityColumn = "entity";

/** Columns with a fixed meaning. Every other column is a slice column. */
function reservedColumns(layout: Layout): readonly string[] {
  if (isAnswerLayout(layout)) {
    const { needed, optional } = answerColumns[layout];
    return ["id", ...needed, ...optional, "group", "weight"];
  }
  return layout === "multiclass"
    ? ["id", "label", "predicted", "group", "weight"]
    : [
        "id",
        "label",
        "score",
        "group",
        "weight",
        ...(hasNumbers(layout) ? [naiveScaleColumn] : []),
        ...(layout === "binary" ? [entityColumn] : []),
      ];
}

export function isSliceColumn(column: string, layout: Layout): boolean {
  return (
    !reservedColumns(layout).includes(column) &&
    !(layout === "multiclass" && column.startsWith(classColumnPrefix)) &&
    !(layout === "forecast" && isForecastColumn(column))
  );
}

/** The columns of a file and what they hold. */
export type Columns = {
  layout: Layout;
  /** One per p_CLASS column: of a multiclass file, or of a binary one that has no `score`. */
  classes: string[];
  /** `score`, or one p_CLASS per class. */
  scores: string[];
  hasGroup: boolean;
  /** Binary only. */
  hasEntity: boolean;
  hasWeight: boolean;
  hasNaiveScale: boolean;
  /** The columns of answers that the file has; empty for labels and scores. */
  answers: string[];
  /** Of a forecasting file that names series and steps. */
  forecast: ForecastColumns | null;
  slices: string[];
};

const examples: Record<Layout, string> = {
  binary: "id,label,score\nrow-1,1,0.93",
  multiclass: "id,label,p_cat,p_dog,p_fox\nrow-1,dog,0.1,0.7,0.2",
  number: "id,label,score\nrow-1,12.5,11.9",
  forecast: "id,label,score,series,step\nrow-1,12.5,11.9,sales,1",
  ranking: '{"id": "user-1", "relevant": ["a", "c"], "ranked": ["c", "b", "a"]}',
  spans:
    '{"id": "row-1", "label": [{"start": 0, "end": 5, "type": "PER"}], "predicted": [{"start": 0, "end": 5, "type": "PER"}]}',
  text: '{"id": "row-1", "reference": "the cat sat", "hypothesis": "the hat sat"}',
};

/**
 * Finds the columns of a prediction file. A binary one may have two columns p_CLASS in place of `score`.
 * @param wantedSlices only these slice columns; default: all in the file
 * @throws EvaluationError `missing-column`, naming the columns found and the nearest one
 */
export function findColumns(
  file: string,
  found: readonly string[],
  layout: Layout,
  wantedSlices: readonly string[] | undefined,
): Columns {
  const classColumns = found.filter((column) => column.startsWith(classColumnPrefix));
  const twoClasses = layout === "binary" && !found.includes("score") && classColumns.length === 2;
  const slices = found.filter(
    (column) => isSliceColumn(column, layout) && !(twoClasses && column.startsWith(classColumnPrefix)),
  );
  const classes =
    layout === "multiclass" || twoClasses ? classColumns.map((column) => column.slice(classColumnPrefix.length)) : [];
  const ofAnswers = isAnswerLayout(layout) ? answerColumns[layout] : null;
  const scores = ofAnswers === null ? (layout === "multiclass" || twoClasses ? classColumns : ["score"]) : [];
  const needed = [
    "id",
    ...(ofAnswers === null ? ["label", ...(layout === "multiclass" ? [] : scores)] : ofAnswers.needed),
    ...(wantedSlices ?? []),
  ];
  const missing = needed.filter((column) => !found.includes(column));
  if (layout === "multiclass" && classes.length < 2) missing.push(`${classColumnPrefix}CLASS`);
  if (missing.length > 0) {
    const spare = found.filter((column) => !needed.includes(column));
    const guesses = missing.flatMap((column) => {
      const near =
        didYouMean(column, spare) ??
        spare.find((one) => one.toLowerCase().includes(column) || column.includes(one.toLowerCase()));
      return near === undefined ? [] : [`is ${JSON.stringify(near)} meant to be "${column}"?`];
    });
    if (found.some((column) => parseDecimal(column) !== null))
      guesses.push("the first line seems to be data: the file needs a header line with the columns' names");
    if (layout === "binary" && classColumns.length > 2)
      guesses.push(
        `${classColumns.length} columns ${classColumnPrefix}CLASS belong to --task multiclass-classification`,
      );
    throw new EvaluationError({
      code: "missing-column",
      place: file,
      problem: `no column ${missing.map((column) => `"${column}"`).join(", ")}`,
      expected: needed.join(", ") + (layout === "multiclass" ? `, and one ${classColumnPrefix}CLASS per class` : ""),
      received: found.length === 0 ? "no columns" : `columns ${found.join(", ")}`,
      example: examples[layout],
      ...(guesses.length > 0 ? { hint: guesses.join("; ") } : {}),
    });
  }
  return {
    layout,
    classes,
    scores,
    hasGroup: found.includes("group"),
    hasEntity: layout === "binary" && found.includes(entityColumn),
    hasWeight: found.includes("weight"),
    hasNaiveScale: hasNumbers(layout) && found.includes(naiveScaleColumn),
    answers:
      ofAnswers === null ? [] : [...ofAnswers.needed, ...ofAnswers.optional].filter((column) => found.includes(column)),
    forecast: layout === "forecast" ? findForecastColumns(file, found) : null,
    slices: wantedSlices === undefined ? slices : [...wantedSlices],
  };
}
