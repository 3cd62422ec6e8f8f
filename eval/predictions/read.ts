import { augmentationColumn } from "../../models/core/manifest/augmentations.ts";
import { ConfigurationError, EvaluationError } from "../../models/core/errors.ts";
import { formatOf, openReader } from "../dataset/formats/open.ts";
import { normalForm, normalFormNote } from "../dataset/normal-form.ts";
import { sliceValueNotes } from "../dataset/slice-values.ts";
import type { Answers, Predictions } from "./predictions.ts";
import { binaryLabels } from "./binary-labels.ts";
import { classColumnPrefix, hasNumbers, layoutOf, naiveScaleColumn, type Columns, type Layout } from "./columns.ts";
import { withCopiesApart } from "./copies-apart.ts";
import { forecastsOf } from "./forecast-columns.ts";
import { rememberIds, RowIds } from "./row-ids.ts";
import { countsOf, firstRowOf, normalised, textsOf, type TextColumn } from "./text-column.ts";
import { readCsvTable, readParquetTable } from "./read-columns.ts";
import { readRecords } from "./read-records.ts";
import type { ReadPredictionsOptions, Table } from "./table.ts";

/**
 * Reads a prediction file of any framework: CSV, JSON Lines, JSON or Parquet with the columns `id`, `label`, `score`
 * (multiclass, or binary without `score`: one `p_CLASS` per class), optionally `group` and `weight`, for numbers
 * `naive_scale`, for forecasts `series`, `step`, `naive2` and quantiles such as `q05`, and slice columns. In place of
 * label and score, ranking has the lists `relevant`, `ranked` and optionally `gains`, token classification the lists of
 * spans `label` and `predicted`, texts `reference`, `hypothesis` and optionally `audio_seconds`. It is strict: the first
 * row that cannot be read is an error that names FILE:LINE.
 *
 * @returns notes: assumptions that a reader should know
 * @throws EvaluationError `missing-column`, `not-a-number`, `empty-field`, `duplicate-id`, `unknown-label`,
 *   `binary-labels`, `malformed-row`, `malformed-answer`, `no-rows`, `quantile-name`, `forecast-step`,
 *   `crossing-quantiles`, and those of the readers; ConfigurationError `positive-label`, `naive-scale`, `catalogue-size`
 */
export async function readPredictions(
  file: string,
  options: ReadPredictionsOptions,
): Promise<{ predictions: Predictions; notes: string[] }> {
  const layout = layoutOf(options.task);
  const format = await formatOf(file, file, options.format);
  if (format === "folder")
    throw new EvaluationError({
      code: "unknown-format",
      place: file,
      problem: "a folder is no prediction file",
      expected: "a CSV, JSON Lines, JSON or Parquet file",
    });
  const table =
    format === "csv"
      ? await readCsvTable(file, layout, options)
      : ((format === "parquet" ? await readParquetTable(file, layout, options) : null) ??
        (await readRecords(
          file,
          await openReader(file, file, format, new Map(), "text", options.text),
          layout,
          options,
        )));
  return understood(file, table, options);
}

/** Labels, scores and slices of a table as `Predictions` holds them. */
function understood(
  file: string,
  table: Table,
  options: ReadPredictionsOptions,
): { predictions: Predictions; notes: string[] } {
  const { columns, ids, rows, placeOf } = table;
  const { layout } = columns;
  const notes = [...table.notes];
  const renormalised = { ...table.renormalisedIds };
  const normal = (column: TextColumn): TextColumn => {
    const one = normalised(column);
    renormalised.count += one.changed;
    renormalised.first ??= one.first;
    return one.column;
  };
  const classes = columns.classes.map(normalForm);
  const truth =
    table.answers === null
      ? decodeLabels(
          table.labels instanceof Float64Array ? table.labels : normal(table.labels),
          { layout, classes },
          options,
          placeOf,
        )
      : { labels: new Float64Array(), classes: [], note: null };
  if (truth.note !== null) notes.push(truth.note);
  const scores = table.answers === null ? scoresOf(table, classes, truth.classes) : new Float64Array();
  if (layout === "binary") {
    const outside = scores.findIndex((score) => score < 0 || score > 1);
    if (outside !== -1)
      notes.push(
        `scores are not all probabilities (${placeOf(outside)}: ${scores[outside]}): metrics that need probabilities mean nothing here`,
      );
    notes.push(...sumNotes(table, placeOf));
  }
  const slices: Record<string, string[]> = {};
  columns.slices.forEach((name, i) => {
    const column = normal(table.slices[i]!);
    if (
      options.slices === undefined &&
      name !== augmentationColumn &&
      column.values.length > (options.largestSliceCount ?? Infinity)
    ) {
      notes.push(
        `column ${JSON.stringify(name)} has ${column.values.length} different values and is not taken as a slice column (--slices ${name} asks for it)`,
      );
      return;
    }
    if (name !== augmentationColumn) notes.push(...sliceValueNotes(name, countsOf(column)));
    Object.defineProperty(slices, name, {
      value: textsOf(column),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  });
  const forecasts =
    table.forecast === null || columns.forecast === null
      ? null
      : forecastsOf({ ...table.forecast, columns: columns.forecast, series: normal(table.forecast.series) }, placeOf);
  // The rows of a series are not independent of one another. A group that is given says more.
  const groups = table.groups === null ? (forecasts?.series ?? null) : textsOf(normal(table.groups));
  const form = normalFormNote(renormalised.count, renormalised.first);
  if (form !== null) notes.push(`${file}: ${form}`);
  const rest = {
    labels: truth.labels,
    scores,
    classes: truth.classes,
    slices,
    groups,
    ...(table.entities === null ? {} : { entities: textsOf(normal(table.entities)) }),
    weights: table.weights,
    ...(forecasts === null ? {} : { forecasts }),
    ...declaredScale(file, columns, table.naiveScales, rows, options.naiveScale),
    ...declaredAnswers(file, table.answers, options.catalogueSize),
    datasetDigest: null,
  };
  const { task, head = "score" } = options;
  const predictions: Predictions =
    ids instanceof RowIds
      ? rememberIds(
          {
            head,
            task,
            // Made only when somebody asks: a million strings take a while.
            get ids() {
              return ids.texts();
            },
            ...rest,
          },
          ids,
        )
      : { head, task, ids, ...rest };
  return withCopiesApart(file, predictions, notes);
}

/** Binary: the positive class's column. Multiclass: all of them, row by row. */
function scoresOf(
  { columns, scores, rows }: Table,
  classes: readonly string[],
  order: readonly string[],
): Float64Array {
  if (scores.length === 1) return scores[0]!;
  if (columns.layout === "binary") return scores[classes.indexOf(order[1]!)]!;
  const width = scores.length;
  const all = new Float64Array(rows * width);
  scores.forEach((column, k) => {
    for (let row = 0; row < rows; row++) all[row * width + k] = column[row] as number;
  });
  return all;
}

/** A binary file's two columns p_CLASS are probabilities of one another's opposite, or something is wrong. */
function sumNotes({ columns, scores, rows }: Table, placeOf: (row: number) => string): string[] {
  if (scores.length !== 2) return [];
  for (let row = 0; row < rows; row++) {
    const sum = (scores[0]![row] as number) + (scores[1]![row] as number);
    if (Math.abs(sum - 1) > 0.01)
      return [`${columns.scores.join(" and ")} do not add up to 1 (${placeOf(row)}: ${sum}): are they probabilities?`];
  }
  return [];
}

function decodeLabels(
  column: TextColumn | Float64Array,
  { layout, classes: named }: { layout: Layout; classes: string[] },
  { classes, positive }: ReadPredictionsOptions,
  placeOf: (row: number) => string,
): { labels: Float64Array; classes: string[]; note: string | null } {
  if (column instanceof Float64Array) return { labels: column, classes: [], note: null };
  if (layout === "binary") {
    return binaryLabels(column, placeOf, {
      ...(named.length === 2 ? { columns: [named[0]!, named[1]!] as const } : {}),
      ...(classes?.length === 2 ? { classes: [classes[0]!, classes[1]!] as const } : {}),
      ...(positive === undefined ? {} : { positive: normalForm(positive) }),
    });
  }
  const indexOf = new Map(named.map((name, index) => [name, index]));
  const classOf = Uint32Array.from(column.values, (text, code) => {
    const index = indexOf.get(text);
    if (index === undefined)
      throw new EvaluationError({
        code: "unknown-label",
        place: placeOf(firstRowOf(column, code)),
        problem: `no column "${classColumnPrefix}${text.slice(0, 80)}" for the label ${JSON.stringify(text.slice(0, 80))}`,
        expected: `one of ${named.join(", ")}`,
        received: text.slice(0, 80),
      });
    return index;
  });
  const labels = new Float64Array(column.codes.length);
  for (let i = 0; i < labels.length; i++) labels[i] = classOf[column.codes[i] as number] as number;
  return { labels, classes: named, note: null };
}

function declaredAnswers(
  file: string,
  answers: Answers | null,
  catalogueSize: number | undefined,
): { answers?: Answers } {
  if (catalogueSize === undefined) return answers === null ? {} : { answers };
  const wrong = (problem: string, expected: string) =>
    new ConfigurationError({
      code: "catalogue-size",
      place: file,
      problem,
      expected,
      received: String(catalogueSize),
      example: "--catalogue-size 285",
    });
  if (answers?.kind !== "ranking") throw wrong("a catalogue size belongs to ranking", "no catalogue size");
  const items = new Set<string>();
  for (const list of answers.ranked) for (const item of list) items.add(item);
  if (!Number.isSafeInteger(catalogueSize) || catalogueSize < items.size)
    throw wrong(
      `the lists hold ${items.size} different items, more than the catalogue is said to have`,
      `a whole number of at least ${items.size}`,
    );
  return { answers: { ...answers, catalogueSize } };
}

function declaredScale(
  file: string,
  { layout, hasNaiveScale }: Columns,
  column: Float64Array | null,
  rows: number,
  declared: number | undefined,
): { naiveScales?: Float64Array } {
  if (declared === undefined) return column === null ? {} : { naiveScales: column };
  const wrong = (problem: string, expected: string) =>
    new ConfigurationError({
      code: "naive-scale",
      place: file,
      problem,
      expected,
      received: String(declared),
      example: "--naive-scale 612.5",
    });
  if (!hasNumbers(layout)) throw wrong("a naive scale belongs to regression and forecasting", "no naive scale");
  if (hasNaiveScale) throw wrong(`the file has a column ${naiveScaleColumn} of its own`, "one of the two");
  if (!(declared > 0 && Number.isFinite(declared)))
    throw wrong("the naive scale is no size of an error", "a finite number above 0");
  return { naiveScales: new Float64Array(rows).fill(declared) };
}
