import { augmentationColumn } from "../../models/core/manifest/augmentations.ts";
import { EvaluationError } from "../../models/core/errors.ts";
import { parseDecimal } from "../dataset/formats/cells.ts";
import { type DecimalMark } from "../dataset/formats/dialect.ts";
import { type OpenedFile } from "../dataset/formats/open.ts";
import { placeName } from "../dataset/formats/reading.ts";
import { normalForm } from "../dataset/normal-form.ts";
import { missingSlice } from "../dataset/slice-values.ts";
import { answerBuilder, type AnswerBuilder } from "./read-answers.ts";
import {
  entityColumn,
  findColumns,
  hasNumbers,
  isAnswerLayout,
  isSliceColumn,
  naiveScaleColumn,
  type Columns,
  type Layout,
} from "./columns.ts";
import { isForecastColumn, naive2Column, seriesColumn, stepColumn } from "./forecast-columns.ts";
import { firstRowOf, TextColumnBuilder, type TextColumn } from "./text-column.ts";
import { type ReadPredictionsOptions, type Table } from "./table.ts";

export async function readRecords(
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
  const entities = new TextColumnBuilder();
  const weights: number[] = [];
  const naiveScales: number[] = [];
  const series = new TextColumnBuilder();
  const steps: number[] = [];
  const naive2: number[] = [];
  let quantiles: number[][] = [];
  let slices: TextColumnBuilder[] = [];
  let answers: AnswerBuilder | null = null;
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
      // Whether a row is an altered copy may show only later, too.
      const wanted = options.slices === undefined ? undefined : [...new Set([...options.slices, augmentationColumn])];
      columns = findColumns(file, [...new Set([...columnNames, ...(wanted ?? [])])], layout, wanted);
      slices = columns.slices.map(() => new TextColumnBuilder());
      scores = columns.scores.map(() => []);
      if (isAnswerLayout(layout)) answers = answerBuilder(layout, new Set(columns.answers));
      quantiles = columns.forecast?.quantiles.map(() => []) ?? [];
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
    if (answers === null) labels.add(cells.text("label"));
    else answers.add(fields, place);
    columns.scores.forEach((name, i) => scores[i]!.push(cells.number(name)));
    if (columns.hasGroup) groups.add(cells.text("group"));
    if (columns.hasEntity) entities.add(cells.text(entityColumn));
    if (columns.hasWeight) weights.push(cells.atLeastZero("weight"));
    if (columns.hasNaiveScale) naiveScales.push(cells.atLeastZero(naiveScaleColumn));
    if (columns.forecast !== null) {
      series.add(cells.text(seriesColumn));
      steps.push(cells.number(stepColumn));
      columns.forecast.quantiles.forEach(({ column }, i) => quantiles[i]!.push(cells.number(column)));
      if (columns.forecast.hasNaive2) naive2.push(cells.number(naive2Column));
    }
    columns.slices.forEach((name, i) => slices[i]!.add(cells.slice(name)));
  }
  if (columns === undefined)
    throw new EvaluationError({
      code: "no-rows",
      place: file,
      problem: "the file has no rows",
      expected: "at least one prediction",
    });
  if (options.absentSlices !== "leave out" && options.slices?.some((name) => !seen.has(name)) === true)
    findColumns(file, columnNames, layout, options.slices);
  const kept = columns.slices.flatMap((name, i) => (seen.has(name) ? [i] : []));
  const texts = labels.column();
  return {
    columns: { ...columns, slices: kept.map((i) => columns!.slices[i]!) },
    rows: ids.length,
    ids,
    labels: hasNumbers(layout) ? numberLabels(texts, placeOf, decimal) : texts,
    scores: scores.map((column) => Float64Array.from(column)),
    answers: answers === null ? null : answers.answers(),
    groups: columns.hasGroup ? groups.column() : null,
    entities: columns.hasEntity ? entities.column() : null,
    weights: columns.hasWeight ? Float64Array.from(weights) : null,
    naiveScales: columns.hasNaiveScale ? Float64Array.from(naiveScales) : null,
    forecast:
      columns.forecast === null
        ? null
        : {
            series: series.column(),
            steps: Float64Array.from(steps),
            quantiles: quantiles.map((column) => Float64Array.from(column)),
            naive2: columns.forecast.hasNaive2 ? Float64Array.from(naive2) : null,
          },
    slices: kept.map((i) => slices[i]!.column()),
    renormalisedIds,
    placeOf,
    notes,
  };
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
    (columns.layout !== "binary" || Object.hasOwn(fields, entityColumn) === columns.hasEntity) &&
    Object.hasOwn(fields, "weight") === columns.hasWeight &&
    (!hasNumbers(columns.layout) || Object.hasOwn(fields, naiveScaleColumn) === columns.hasNaiveScale) &&
    (columns.layout !== "forecast" ||
      Object.keys(fields).filter(isForecastColumn).join() === columnNames.filter(isForecastColumn).join()) &&
    optionalAnswers.every(
      (name) => isSliceColumn(name, columns.layout) || Object.hasOwn(fields, name) === columns.answers.includes(name),
    );
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

const optionalAnswers = ["gains", "audio_seconds"];

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
