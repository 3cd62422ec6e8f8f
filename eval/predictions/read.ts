import { ConfigurationError, EvaluationError } from "../../models/core/errors.ts";
import type { Task } from "../../models/core/manifest/manifest.ts";
import { parseDecimal } from "../dataset/formats/cells.ts";
import { formatOf, openReader, type Format } from "../dataset/formats/open.ts";
import { placeName } from "../dataset/formats/reading.ts";
import type { Predictions } from "./predictions.ts";
import { binaryLabels, type BinaryLabelOptions } from "./binary-labels.ts";
import { classColumnPrefix, findColumns, layoutOf, naiveScaleColumn, type Columns } from "./columns.ts";

export type ReadPredictionsOptions = Pick<BinaryLabelOptions, "positive"> & {
  task: Task;
  /** Name of the head that the file belongs to; default: "score". */
  head?: string;
  /** Class names when they are known: [negative, positive] of a binary task, or the classes of a multiclass one. */
  classes?: readonly string[];
  /** Slice columns to keep; default: every column without a fixed meaning. */
  slices?: readonly string[];
  /** For a file without the column naive_scale: the scale of every row. Regression and forecasting only. */
  naiveScale?: number;
  format?: Exclude<Format, "folder">;
};

/**
 * Reads a prediction file of any framework: CSV, JSON Lines, JSON or Parquet with the columns `id`, `label`, `score`
 * (multiclass: `label` and one `p_CLASS` per class), optionally `group` and `weight`, for numbers `naive_scale`, and
 * slice columns. It is strict: the first row that cannot be read is an error that names FILE:LINE.
 *
 * @returns notes: assumptions that a reader should know
 * @throws EvaluationError `missing-column`, `not-a-number`, `empty-field`, `duplicate-id`, `unknown-label`,
 *   `binary-labels`, `malformed-row`, `no-rows`, and those of the readers; ConfigurationError `positive-label`,
 *   `task-without-files`, `naive-scale`
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
  const { style, readings } = openReader(file, file, format, new Map(), "text");

  let columns: Columns | undefined;
  let columnCount: number | null = null;
  const ids: string[] = [];
  const spots: (number | string)[] = [];
  const rowOfId = new Map<string, number>();
  const labels: string[] = [];
  const scores: number[] = [];
  const groups: string[] = [];
  const weights: number[] = [];
  const naiveScales: number[] = [];
  let slices: string[][] = [];
  const interned = new Map<string, string>();
  const placeOf = (row: number) => placeName(file, style, spots[row]!);

  for await (const reading of readings) {
    const place = placeName(file, style, reading.at);
    if (reading.kind === "malformed")
      throw new EvaluationError({ code: "malformed-row", place, problem: reading.reason });
    const { fields } = reading;
    if (columns === undefined) {
      columns = findColumns(file, Object.keys(fields), layout, options.slices);
      slices = columns.slices.map(() => []);
      columnCount = options.slices === undefined ? Object.keys(fields).length : null;
    }
    assertSameColumns(fields, columns, columnCount, place);
    const cells = cellsOf(fields, place);
    const id = cells.text("id");
    const earlier = rowOfId.get(id);
    if (earlier !== undefined)
      throw new EvaluationError({
        code: "duplicate-id",
        place,
        problem: `id ${JSON.stringify(id)} is already taken by ${placeOf(earlier)}`,
        expected: "every row's id once",
      });
    rowOfId.set(id, ids.length);
    ids.push(id);
    spots.push(reading.at);
    labels.push(cells.text("label"));
    if (layout === "multiclass")
      for (const name of columns.classes) scores.push(cells.number(classColumnPrefix + name));
    else scores.push(cells.number("score"));
    if (columns.hasGroup) groups.push(cells.text("group"));
    if (columns.hasWeight) weights.push(cells.atLeastZero("weight"));
    if (columns.hasNaiveScale) naiveScales.push(cells.atLeastZero(naiveScaleColumn));
    columns.slices.forEach((name, i) => {
      const value = cells.slice(name);
      if (!interned.has(value)) interned.set(value, value);
      slices[i]!.push(interned.get(value)!);
    });
  }
  if (columns === undefined)
    throw new EvaluationError({
      code: "no-rows",
      place: file,
      problem: "the file has no rows",
      expected: "at least one prediction",
    });

  const notes: string[] = [];
  const truth = decodeLabels(labels, columns, options, placeOf);
  if (truth.note !== null) notes.push(truth.note);
  const outside = layout === "binary" ? scores.findIndex((score) => score < 0 || score > 1) : -1;
  if (outside !== -1)
    notes.push(
      `scores are not all probabilities (${placeOf(outside)}: ${scores[outside]}): metrics that need probabilities mean nothing here`,
    );
  return {
    predictions: {
      head: options.head ?? "score",
      task: options.task,
      ids,
      labels: truth.labels,
      scores: Float64Array.from(scores),
      classes: truth.classes,
      slices: Object.fromEntries(columns.slices.map((name, i) => [name, slices[i]!])),
      groups: columns.hasGroup ? groups : null,
      weights: columns.hasWeight ? Float64Array.from(weights) : null,
      ...declaredScale(file, columns, naiveScales, ids.length, options.naiveScale),
      datasetDigest: null,
    },
    notes,
  };
}

/**
 * A JSON row may lack or add fields compared with the first row. A slice or weight must not appear or vanish unnoticed.
 */
function assertSameColumns(
  fields: Record<string, unknown>,
  columns: Columns,
  columnCount: number | null,
  place: string,
): void {
  const lost = columns.slices.find((name) => !Object.hasOwn(fields, name));
  const sameCount = columnCount === null || Object.keys(fields).length === columnCount;
  if (
    lost === undefined &&
    sameCount &&
    Object.hasOwn(fields, "group") === columns.hasGroup &&
    Object.hasOwn(fields, "weight") === columns.hasWeight &&
    (columns.layout !== "number" || Object.hasOwn(fields, naiveScaleColumn) === columns.hasNaiveScale)
  )
    return;
  throw new EvaluationError({
    code: "malformed-row",
    place,
    problem:
      lost === undefined
        ? "the row's fields are not those of the first row"
        : `no field "${lost}", which the first row has`,
    received: Object.keys(fields).join(", "),
  });
}

function decodeLabels(
  texts: string[],
  columns: Columns,
  { classes, positive }: ReadPredictionsOptions,
  placeOf: (row: number) => string,
): { labels: Float64Array; classes: string[]; note: string | null } {
  if (columns.layout === "binary") {
    return binaryLabels(texts, placeOf, {
      ...(classes?.length === 2 ? { classes: [classes[0]!, classes[1]!] } : {}),
      ...(positive === undefined ? {} : { positive }),
    });
  }
  if (columns.layout === "number") {
    return {
      labels: Float64Array.from(texts, (text, row) => finite(text, "label", placeOf(row))),
      classes: [],
      note: null,
    };
  }
  const indexOf = new Map(columns.classes.map((name, index) => [name, index]));
  const labels = Float64Array.from(texts, (text, row) => {
    const index = indexOf.get(text);
    if (index === undefined)
      throw new EvaluationError({
        code: "unknown-label",
        place: placeOf(row),
        problem: `no column "${classColumnPrefix}${text.slice(0, 80)}" for the label ${JSON.stringify(text.slice(0, 80))}`,
        expected: `one of ${columns.classes.join(", ")}`,
        received: text.slice(0, 80),
      });
    return index;
  });
  return { labels, classes: columns.classes, note: null };
}

function finite(text: string, column: string, place: string): number {
  const value = parseDecimal(text);
  if (value === null || !Number.isFinite(value))
    throw new EvaluationError({
      code: "not-a-number",
      place,
      problem: `${column} is not a finite number`,
      expected: "a decimal number",
      received: text.slice(0, 80) || "nothing",
    });
  return value;
}

function declaredScale(
  file: string,
  { layout, hasNaiveScale }: Columns,
  column: number[],
  rows: number,
  declared: number | undefined,
): { naiveScales?: Float64Array } {
  if (declared === undefined) return hasNaiveScale ? { naiveScales: Float64Array.from(column) } : {};
  const wrong = (problem: string, expected: string) =>
    new ConfigurationError({
      code: "naive-scale",
      place: file,
      problem,
      expected,
      received: String(declared),
      example: "--naive-scale 612.5",
    });
  if (layout !== "number") throw wrong("a naive scale belongs to regression and forecasting", "no naive scale");
  if (hasNaiveScale) throw wrong(`the file has a column ${naiveScaleColumn} of its own`, "one of the two");
  if (!(declared > 0 && Number.isFinite(declared)))
    throw wrong("the naive scale is no size of an error", "a finite number above 0");
  return { naiveScales: new Float64Array(rows).fill(declared) };
}

/**
 * One record's cells as text and numbers. Numbers from JSON and Parquet keep every bit (shortest round-trip decimal).
 */
function cellsOf(fields: Record<string, unknown>, place: string) {
  const plain = (column: string): string | null => {
    const value = Object.hasOwn(fields, column) ? fields[column] : null;
    if (value === null || value === undefined) return null;
    if (typeof value === "string") return value;
    if (typeof value === "number" && Object.is(value, -0)) return "-0";
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  };
  const text = (column: string): string => {
    const value = plain(column);
    if (value === null) throw new EvaluationError({ code: "empty-field", place, problem: `${column} is empty` });
    return value;
  };
  const number = (column: string) => finite(plain(column) ?? "", column, place);
  return {
    text,
    number,
    atLeastZero: (column: string) => {
      const value = number(column);
      if (value < 0)
        throw new EvaluationError({
          code: "not-a-number",
          place,
          problem: `${column} is negative`,
          expected: "0 or more",
          received: String(value),
        });
      return value;
    },
    slice: (column: string) => plain(column) ?? "",
  };
}
