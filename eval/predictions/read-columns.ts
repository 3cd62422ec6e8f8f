import { Readable } from "node:stream";
import { EvaluationError } from "../../models/core/errors.ts";
import { headerProblem, readCsv, unnamedNote } from "../dataset/formats/csv.ts";
import { cellsOf, type Dialect } from "../dataset/formats/dialect.ts";
import { openCsv } from "../dataset/formats/open.ts";
import { openParquetColumns } from "../dataset/formats/parquet.ts";
import { placeName } from "../dataset/formats/reading.ts";
import { missingSlice } from "../dataset/slice-values.ts";
import {
  entityColumn,
  findColumns,
  hasNumbers,
  isAnswerLayout,
  naiveScaleColumn,
  type Columns,
  type Layout,
} from "./columns.ts";
import { isForecastColumn, naive2Column, seriesColumn, stepColumn } from "./forecast-columns.ts";
import { idsIn, numbersIn, textsIn, type Pieces } from "./parquet-table.ts";
import { rememberedIds, RowIds } from "./row-ids.ts";
import { scanCsv, type ScannedAs } from "./scan-csv.ts";
import { type TextColumn } from "./text-column.ts";
import { readRecords } from "./read-records.ts";
import { wantedSlices, type ReadPredictionsOptions, type Table } from "./table.ts";

/** A plain CSV file by `scanCsv`; any other, and any that is wrong, by the full parser. Both give the same. */
export async function readCsvTable(file: string, layout: Layout, options: ReadPredictionsOptions): Promise<Table> {
  const { chunks, dialect } = await openCsv(file, file, options.text ?? {});
  if (isAnswerLayout(layout)) return readCsvRecords(file, chunks, dialect, layout, options);
  const whole = await collected(chunks);
  if (whole.bytes !== null) {
    const table = scanTable(file, whole.bytes, dialect, layout, options);
    if (table !== null) return table;
  }
  const source = whole.bytes === null ? whole.chunks : Readable.from([whole.bytes]);
  return readCsvRecords(file, source, dialect, layout, options);
}

function readCsvRecords(
  file: string,
  source: AsyncIterable<Buffer>,
  dialect: Dialect,
  layout: Layout,
  options: ReadPredictionsOptions,
): Promise<Table> {
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
  const { forecast } = columns;
  // A step or a quantile that is also asked for as a slice is a number and a text: read row by row.
  if (forecast !== null && columns.slices.some((column) => isForecastColumn(column))) return null;
  const kinds = header.map((column): ScannedAs => {
    if (column === "id") return "id";
    if (column === "label") return hasNumbers(layout) ? "number" : "text";
    if (columns.scores.includes(column) || (columns.hasWeight && column === "weight")) return "number";
    if (columns.hasNaiveScale && column === naiveScaleColumn) return "number";
    if (columns.hasGroup && column === "group") return "text";
    if (columns.hasEntity && column === entityColumn) return "text";
    if (forecast !== null && isForecastColumn(column)) return column === seriesColumn ? "text" : "number";
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
    labels: hasNumbers(layout) ? numbers("label") : texts("label"),
    scores: columns.scores.map(numbers),
    answers: null,
    groups: columns.hasGroup ? texts("group") : null,
    entities: columns.hasEntity ? texts(entityColumn) : null,
    weights,
    naiveScales,
    forecast:
      forecast === null
        ? null
        : {
            series: texts(seriesColumn),
            steps: numbers(stepColumn),
            quantiles: forecast.quantiles.map(({ column }) => numbers(column)),
            naive2: forecast.hasNaive2 ? numbers(naive2Column) : null,
          },
    slices: columns.slices.map(texts),
    renormalisedIds: { count: 0, first: undefined },
    placeOf: (row) => placeName(file, "line", scanned.lineOf(row)),
    notes: [...dialect.notes, ...(unnamed === null ? [] : [unnamed])],
  };
}

/** A Parquet file column by column; null where one holds something unusual, which is then read row by row. */
export async function readParquetTable(
  file: string,
  layout: Layout,
  options: ReadPredictionsOptions,
): Promise<Table | null> {
  if (isAnswerLayout(layout) || Object.values(options.text ?? {}).some((option) => option !== undefined)) return null;
  const { rows, names, column, plain } = await openParquetColumns(file, file);
  const columns = columnsIn(file, names, layout, options);
  // Series, steps and quantiles are read row by row, which takes 2 µs a row.
  if (columns === null || rows === 0 || columns.forecast !== null) return null;
  /** A column read in the fast way, or else in the library's. */
  const either = async <T>(name: string, read: (pieces: Pieces) => Promise<T | null>, bytes = false) => {
    const found = await read(plain(name));
    const pieces = found === null ? column(name, bytes) : null;
    return pieces === null ? found : read(pieces);
  };
  const numbers = (name: string) => either(name, (pieces) => numbersIn(pieces, rows));
  const texts = (name: string, missing: string | null) => either(name, (pieces) => textsIn(pieces, rows, missing));
  const ids = await either("id", (pieces) => idsIn(pieces, rows), true);
  if (ids === null || !areUnique(ids, options)) return null;
  const labels = hasNumbers(layout) ? await numbers("label") : await texts("label", null);
  const scores: Float64Array[] = [];
  for (const name of columns.scores) {
    const found = await numbers(name);
    if (found === null) return null;
    scores.push(found);
  }
  const groups = columns.hasGroup ? await texts("group", null) : null;
  const entities = columns.hasEntity ? await texts(entityColumn, null) : null;
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
    (columns.hasEntity && entities === null) ||
    (columns.hasWeight && weights === null) ||
    (columns.hasNaiveScale && naiveScales === null);
  if (lost || [weights, naiveScales].some((values) => values?.some((value) => value < 0) === true)) return null;
  return {
    columns,
    rows,
    ids,
    labels,
    scores,
    answers: null,
    groups,
    entities,
    weights,
    naiveScales,
    forecast: null,
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
