import { Readable } from "node:stream";
import { ConfigurationError, EvaluationError } from "../../models/core/errors.ts";
import type { Task } from "../../models/core/manifest/manifest.ts";
import { parseDecimal } from "../dataset/formats/cells.ts";
import { headerProblem, readCsv, unnamedNote } from "../dataset/formats/csv.ts";
import { cellsOf, type DecimalMark, type Dialect } from "../dataset/formats/dialect.ts";
import {
  formatOf,
  openCsv,
  openReader,
  type Format,
  type OpenedFile,
  type TextOptions,
} from "../dataset/formats/open.ts";
import { openParquetColumns } from "../dataset/formats/parquet.ts";
import { placeName } from "../dataset/formats/reading.ts";
import { normalForm, normalFormNote } from "../dataset/normal-form.ts";
import { missingSlice, sliceValueNotes } from "../dataset/slice-values.ts";
import type { Predictions } from "./predictions.ts";
import { binaryLabels, type BinaryLabelOptions } from "./binary-labels.ts";
import {
  classColumnPrefix,
  findColumns,
  isSliceColumn,
  layoutOf,
  naiveScaleColumn,
  type Columns,
  type Layout,
} from "./columns.ts";
import { idsIn, numbersIn, textsIn } from "./parquet-table.ts";
import { rememberedIds, rememberIds, RowIds } from "./row-ids.ts";
import { scanCsv, type ScannedAs } from "./scan-csv.ts";
import { countsOf, firstRowOf, normalised, TextColumnBuilder, textsOf, type TextColumn } from "./text-column.ts";

export type ReadPredictionsOptions = Pick<BinaryLabelOptions, "positive"> & {
  task: Task;
  /** Name of the head that the file belongs to; default: "score". */
  head?: string;
  /** Class names when they are known: [negative, positive] of a binary task, or the classes of a multiclass one. */
  classes?: readonly string[];
  /** Slice columns to keep; default: every column without a fixed meaning. */
  slices?: readonly string[];
  /** What to do about a wanted slice column that the file lacks; default: refuse the file. */
  absentSlices?: "refuse" | "leave out";
  /** Without `slices`: a column with more different values is no slice column. Default: no limit. */
  largestSliceCount?: number;
  /** For a file without the column naive_scale: the scale of every row. Regression and forecasting only. */
  naiveScale?: number;
  /** Predictions that this file may hold the same rows of, in the same order: their ids need no second look. */
  sameRowsAs?: Predictions;
  format?: Exclude<Format, "folder">;
  /** What is declared about the file's text. */
  text?: TextOptions;
};

/** A file's columns as they were read, before labels are understood. */
type Table = {
  columns: Columns;
  rows: number;
  ids: RowIds | string[];
  /** Numbers where labels are numbers. */
  labels: TextColumn | Float64Array;
  /** One per score column. */
  scores: Float64Array[];
  groups: TextColumn | null;
  weights: Float64Array | null;
  naiveScales: Float64Array | null;
  /** In the order of `columns.slices`. */
  slices: TextColumn[];
  /** What ids were in another Unicode form. */
  renormalisedIds: { count: number; first: string | undefined };
  placeOf: (row: number) => string;
  notes: string[];
};

/**
 * Reads a prediction file of any framework: CSV, JSON Lines, JSON or Parquet with the columns `id`, `label`, `score`
 * (multiclass, or binary without `score`: one `p_CLASS` per class), optionally `group` and `weight`, for numbers
 * `naive_scale`, and slice columns. It is strict: the first row that cannot be read is an error that names FILE:LINE.
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

/** A plain CSV file by `scanCsv`; any other, and any that is wrong, by the full parser. Both give the same. */
async function readCsvTable(file: string, layout: Layout, options: ReadPredictionsOptions): Promise<Table> {
  const { chunks, dialect } = await openCsv(file, file, options.text ?? {});
  const whole = await collected(chunks);
  if (whole.bytes !== null) {
    const table = scanTable(file, whole.bytes, dialect, layout, options);
    if (table !== null) return table;
  }
  const source = whole.bytes === null ? whole.chunks : Readable.from([whole.bytes]);
  const readings = readCsv(source, file, dialect, new Map(), "text");
  return readRecords(
    file,
    { style: "line", readings, decimal: dialect.decimal, notes: dialect.notes },
    layout,
    options,
  );
}

/** Largest CSV file that is held in memory as it is. A larger one is parsed as it comes. */
const largestInMemory = 2 ** 30;

/** The whole text with a line feed at its end; null, and the chunks again, where it is too large. */
async function collected(
  chunks: AsyncGenerator<Buffer>,
): Promise<{ bytes: Buffer; chunks: null } | { bytes: null; chunks: AsyncGenerator<Buffer> }> {
  const parts: Buffer[] = [];
  let size = 0;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    parts.push(next.value);
    size += next.value.length;
    if (size > largestInMemory) {
      const all = async function* (): AsyncGenerator<Buffer> {
        yield* parts;
        yield* chunks;
      };
      return { bytes: null, chunks: all() };
    }
  }
  return { bytes: Buffer.concat([...parts, Buffer.from("\n")], size + 1), chunks: null };
}

function scanTable(
  file: string,
  bytes: Buffer,
  dialect: Dialect,
  layout: Layout,
  options: ReadPredictionsOptions,
): Table | null {
  const { delimiter, decimal } = dialect;
  if (dialect.lineEnd === "\r" || dialect.skippedLines > 0 || delimiter === decimal) return null;
  const end = bytes.indexOf(10);
  const found = cellsOf(bytes.toString("utf8", 0, end).replace(/\r$/, ""), delimiter).map((cell) =>
    cell.includes('"') ? (/^"([^"\r]+)"$/.exec(cell)?.[1] ?? null) : cell,
  );
  if (end === 0 || found.includes(null)) return null;
  const header = found as string[];
  if (headerProblem(header) !== null) return null;
  const columns = columnsIn(
    file,
    header.filter((column) => column !== ""),
    layout,
    options,
  );
  if (columns === null) return null;
  const kinds = header.map((column): ScannedAs => {
    if (column === "id") return "id";
    if (column === "label") return layout === "number" ? "number" : "text";
    if (columns.scores.includes(column) || (columns.hasWeight && column === "weight")) return "number";
    if (columns.hasNaiveScale && column === naiveScaleColumn) return "number";
    if (columns.hasGroup && column === "group") return "text";
    return columns.slices.includes(column) ? "optional-text" : "skip";
  });
  const scanned = scanCsv(
    bytes,
    end + 1,
    { delimiter: delimiter.charCodeAt(0), mark: decimal.charCodeAt(0) },
    kinds,
    missingSlice,
  );
  if (scanned === null || scanned.ids.length === 0 || !areUnique(scanned.ids, options)) return null;
  const numbers = (column: string) => scanned.numbers[header.indexOf(column)] as Float64Array;
  const texts = (column: string) => scanned.texts[header.indexOf(column)] as TextColumn;
  const weights = columns.hasWeight ? numbers("weight") : null;
  const naiveScales = columns.hasNaiveScale ? numbers(naiveScaleColumn) : null;
  if ([weights, naiveScales].some((column) => column?.some((value) => value < 0) === true)) return null;
  const unnamed = unnamedNote(header, file);
  return {
    columns,
    rows: scanned.ids.length,
    ids: scanned.ids,
    labels: layout === "number" ? numbers("label") : texts("label"),
    scores: columns.scores.map(numbers),
    groups: columns.hasGroup ? texts("group") : null,
    weights,
    naiveScales,
    slices: columns.slices.map(texts),
    renormalisedIds: { count: 0, first: undefined },
    placeOf: (row) => placeName(file, "line", scanned.lineOf(row)),
    notes: [...dialect.notes, ...(unnamed === null ? [] : [unnamed])],
  };
}

/** A Parquet file column by column; null where one holds something unusual, which is then read row by row. */
async function readParquetTable(file: string, layout: Layout, options: ReadPredictionsOptions): Promise<Table | null> {
  if (Object.values(options.text ?? {}).some((option) => option !== undefined)) return null;
  const { rows, names, column } = await openParquetColumns(file, file);
  const columns = columnsIn(file, names, layout, options);
  if (columns === null || rows === 0) return null;
  const numbers = async (name: string) => {
    const pieces = column(name);
    return pieces === null ? null : numbersIn(pieces, rows);
  };
  const texts = async (name: string, missing: string | null) => {
    const pieces = column(name);
    return pieces === null ? null : textsIn(pieces, rows, missing);
  };
  const idPieces = column("id", true);
  const ids = idPieces === null ? null : await idsIn(idPieces, rows);
  if (ids === null || !areUnique(ids, options)) return null;
  const labels = layout === "number" ? await numbers("label") : await texts("label", null);
  const scores: Float64Array[] = [];
  for (const name of columns.scores) {
    const found = await numbers(name);
    if (found === null) return null;
    scores.push(found);
  }
  const groups = columns.hasGroup ? await texts("group", null) : null;
  const weights = columns.hasWeight ? await numbers("weight") : null;
  const naiveScales = columns.hasNaiveScale ? await numbers(naiveScaleColumn) : null;
  const slices: TextColumn[] = [];
  for (const name of columns.slices) {
    const found = await texts(name, missingSlice);
    if (found === null) return null;
    slices.push(found);
  }
  const lost =
    labels === null ||
    (columns.hasGroup && groups === null) ||
    (columns.hasWeight && weights === null) ||
    (columns.hasNaiveScale && naiveScales === null);
  if (lost || [weights, naiveScales].some((values) => values?.some((value) => value < 0) === true)) return null;
  return {
    columns,
    rows,
    ids,
    labels,
    scores,
    groups,
    weights,
    naiveScales,
    slices,
    renormalisedIds: { count: 0, first: undefined },
    placeOf: (row) => placeName(file, "item", row),
    notes: [],
  };
}

function areUnique(ids: RowIds, { sameRowsAs }: ReadPredictionsOptions): boolean {
  const like = sameRowsAs === undefined ? undefined : rememberedIds(sameRowsAs);
  return like?.sameAs(ids) === true || ids.unique();
}

/** The columns of a plain file; null where one is missing, which the full parser says with the place. */
function columnsIn(
  file: string,
  header: readonly string[],
  layout: Layout,
  options: ReadPredictionsOptions,
): Columns | null {
  try {
    return findColumns(file, header, layout, wantedSlices(header, options));
  } catch (error) {
    if (error instanceof EvaluationError) return null;
    throw error;
  }
}

function wantedSlices(header: readonly string[], options: ReadPredictionsOptions): readonly string[] | undefined {
  return options.absentSlices === "leave out"
    ? options.slices?.filter((column) => header.includes(column))
    : options.slices;
}

async function readRecords(
  file: string,
  { style, readings, decimal, notes }: OpenedFile,
  layout: Layout,
  options: ReadPredictionsOptions,
): Promise<Table> {
  let columns: Columns | undefined;
  let columnNames: string[] = [];
  const ids: string[] = [];
  const renormalisedIds: Table["renormalisedIds"] = { count: 0, first: undefined };
  const spots: (number | string)[] = [];
  const rowOfId = new Map<string, number>();
  const labels = new TextColumnBuilder();
  let scores: number[][] = [];
  const groups = new TextColumnBuilder();
  const weights: number[] = [];
  const naiveScales: number[] = [];
  let slices: TextColumnBuilder[] = [];
  const seen = new Set<string>();
  const placeOf = (row: number) => placeName(file, style, spots[row]!);

  for await (const reading of readings) {
    const place = placeName(file, style, reading.at);
    if (reading.kind === "malformed")
      throw new EvaluationError({ code: "malformed-row", place, problem: reading.reason });
    const { fields } = reading;
    if (columns === undefined) {
      columnNames = Object.keys(fields);
      // A later row may have the slice that the first one lacks.
      columns = findColumns(file, [...new Set([...columnNames, ...(options.slices ?? [])])], layout, options.slices);
      slices = columns.slices.map(() => new TextColumnBuilder());
      scores = columns.scores.map(() => []);
    }
    const added = addedSlices(fields, columns, columnNames, options, place);
    for (const name of added) {
      // Rows before this one had no such field: they have no value.
      columnNames.push(name);
      columns.slices.push(name);
      slices.push(new TextColumnBuilder(ids.length, missingSlice));
    }
    if (seen.size < columns.slices.length)
      for (const name of columns.slices) if (Object.hasOwn(fields, name)) seen.add(name);
    const cells = cellsOfRecord(fields, place, decimal);
    const written = cells.text("id");
    const id = normalForm(written);
    if (id !== written) {
      renormalisedIds.count++;
      renormalisedIds.first ??= written;
    }
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
    labels.add(cells.text("label"));
    columns.scores.forEach((name, i) => scores[i]!.push(cells.number(name)));
    if (columns.hasGroup) groups.add(cells.text("group"));
    if (columns.hasWeight) weights.push(cells.atLeastZero("weight"));
    if (columns.hasNaiveScale) naiveScales.push(cells.atLeastZero(naiveScaleColumn));
    columns.slices.forEach((name, i) => slices[i]!.add(cells.slice(name)));
  }
  if (columns === undefined)
    throw new EvaluationError({
      code: "no-rows",
      place: file,
      problem: "the file has no rows",
      expected: "at least one prediction",
    });
  if (options.absentSlices !== "leave out" && seen.size < columns.slices.length)
    findColumns(file, columnNames, layout, options.slices);
  const kept = columns.slices.flatMap((name, i) => (seen.has(name) ? [i] : []));
  const texts = labels.column();
  return {
    columns: { ...columns, slices: kept.map((i) => columns!.slices[i]!) },
    rows: ids.length,
    ids,
    labels: layout === "number" ? numberLabels(texts, placeOf, decimal) : texts,
    scores: scores.map((column) => Float64Array.from(column)),
    groups: columns.hasGroup ? groups.column() : null,
    weights: columns.hasWeight ? Float64Array.from(weights) : null,
    naiveScales: columns.hasNaiveScale ? Float64Array.from(naiveScales) : null,
    slices: kept.map((i) => slices[i]!.column()),
    renormalisedIds,
    placeOf,
    notes,
  };
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
  const truth = decodeLabels(
    table.labels instanceof Float64Array ? table.labels : normal(table.labels),
    { layout, classes },
    options,
    placeOf,
  );
  if (truth.note !== null) notes.push(truth.note);
  const scores = scoresOf(table, classes, truth.classes);
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
    if (options.slices === undefined && column.values.length > (options.largestSliceCount ?? Infinity)) {
      notes.push(
        `column ${JSON.stringify(name)} has ${column.values.length} different values and is not taken as a slice column (--slices ${name} asks for it)`,
      );
      return;
    }
    notes.push(...sliceValueNotes(name, countsOf(column)));
    Object.defineProperty(slices, name, {
      value: textsOf(column),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  });
  const groups = table.groups === null ? null : textsOf(normal(table.groups));
  const form = normalFormNote(renormalised.count, renormalised.first);
  if (form !== null) notes.push(`${file}: ${form}`);
  const rest = {
    labels: truth.labels,
    scores,
    classes: truth.classes,
    slices,
    groups,
    weights: table.weights,
    ...declaredScale(file, columns, table.naiveScales, rows, options.naiveScale),
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
  return { predictions, notes };
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

/**
 * A JSON row may lack or add fields compared with the first row. One that lacks a slice's field has no value in it; one
 * that brings a new field begins a slice column, unless columns were asked for. Anything else must not appear or vanish
 * unnoticed.
 * @returns the slice columns that this row begins
 */
function addedSlices(
  fields: Record<string, unknown>,
  columns: Columns,
  columnNames: readonly string[],
  options: ReadPredictionsOptions,
  place: string,
): string[] {
  const needed =
    Object.hasOwn(fields, "group") === columns.hasGroup &&
    Object.hasOwn(fields, "weight") === columns.hasWeight &&
    (columns.layout !== "number" || Object.hasOwn(fields, naiveScaleColumn) === columns.hasNaiveScale);
  if (!needed)
    throw new EvaluationError({
      code: "malformed-row",
      place,
      problem: "the row's fields are not those of the first row",
      expected: columnNames.join(", "),
      received: Object.keys(fields).join(", "),
    });
  if (options.slices !== undefined) return [];
  return Object.keys(fields).filter((name) => !columnNames.includes(name) && isSliceColumn(name, columns.layout));
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

function numberLabels(column: TextColumn, placeOf: (row: number) => string, mark: DecimalMark): Float64Array {
  const numbers = column.values.map((text, code) =>
    finite(text, "label", () => placeOf(firstRowOf(column, code)), mark),
  );
  return Float64Array.from(column.codes, (code) => numbers[code] as number);
}

function finite(text: string, column: string, place: () => string, mark: DecimalMark): number {
  const value = parseDecimal(text, mark);
  if (value !== null && Number.isFinite(value)) return value;
  const other = mark === "." ? "," : ".";
  throw new EvaluationError({
    code: "not-a-number",
    place: place(),
    problem: `${column} is not a finite number`,
    expected: mark === "." ? "a decimal number" : "a number with a decimal comma, as the file's first rows have",
    received: text.slice(0, 80) || "nothing",
    ...(parseDecimal(text, other) === null
      ? {}
      : {
          hint: `a decimal ${other === "," ? "comma" : "point"} is declared with decimal: "${other}" (--decimal ${other})`,
        }),
  });
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
  if (layout !== "number") throw wrong("a naive scale belongs to regression and forecasting", "no naive scale");
  if (hasNaiveScale) throw wrong(`the file has a column ${naiveScaleColumn} of its own`, "one of the two");
  if (!(declared > 0 && Number.isFinite(declared)))
    throw wrong("the naive scale is no size of an error", "a finite number above 0");
  return { naiveScales: new Float64Array(rows).fill(declared) };
}

/**
 * One record's cells as text and numbers. Numbers from JSON and Parquet keep every bit (shortest round-trip decimal).
 */
function cellsOfRecord(fields: Record<string, unknown>, place: string, mark: DecimalMark) {
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
  const number = (column: string) =>
    finite(plain(column) ?? "", column, () => place, typeof fields[column] === "string" ? mark : ".");
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
    slice: (column: string) => plain(column) || missingSlice,
  };
}
