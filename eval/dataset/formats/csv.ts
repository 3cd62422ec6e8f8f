import { pipeline, Readable } from "node:stream";
import { parse, type CsvError, type Info } from "csv-parse";
import { EvaluationError } from "../../../models/core/errors.ts";
import { parseCell, type CellType } from "./cells.ts";
import type { Dialect } from "./dialect.ts";
import type { Reading } from "./reading.ts";

/** Most bytes without the end of a record. It stops a small packed file from filling the memory. */
const maxRecordBytes = 128 * 2 ** 20;

const count = (cells: readonly (string | null)[], character: string): number =>
  cells.reduce((sum, cell) => sum + (cell === null ? 0 : cell.split(character).length - 1), 0);

/** What is wrong with a header, or null; and the columns that have no name. */
export function headerProblem(header: readonly string[]): string | null {
  const twice = header.find((cell, i) => cell !== "" && header.indexOf(cell) !== i);
  return twice === undefined ? null : `the header names ${JSON.stringify(twice)} twice`;
}

/** What a reader should know of columns without a name, which are left out; null when there are none. */
export function unnamedNote(header: readonly string[], name: string): string | null {
  const unnamed = header.flatMap((cell, i) => (cell === "" ? [i + 1] : []));
  return unnamed.length === 0
    ? null
    : `${name}: column ${unnamed.join(", ")} has no name in the header (an index that was saved with the table?) and is left out`;
}

/**
 * Records of a CSV file (RFC 4180 in the given dialect, UTF-8, header line) one by one. An unquoted empty cell is
 * missing (null), a quoted one is the empty text. Columns without a name are left out. `at` is the line on which a
 * record starts.
 * @param types column → how its cells are read; `others` for columns not named
 * @throws EvaluationError `csv-unreadable` when the header repeats a name, or a quote is never closed
 */
export async function* readCsv(
  chunks: AsyncIterable<Buffer>,
  name: string,
  dialect: Dialect,
  types: ReadonlyMap<string, CellType>,
  others: CellType,
): AsyncGenerator<Reading> {
  const parser = parse({
    bom: true,
    info: true,
    delimiter: dialect.delimiter,
    from_line: 1 + dialect.skippedLines,
    record_delimiter: dialect.lineEnd === "\r" ? ["\r"] : ["\r\n", "\n"],
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    cast: (text, { quoting }) => (text === "" && !quoting ? null : text),
  });
  const skipped: CsvError[] = [];
  parser.on("skip", (error) => error !== undefined && skipped.push(error));
  // for-await sees the parser's own errors. The pipeline also passes the file's errors on to the parser.
  let sinceRecord = 0;
  async function* bounded(): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      sinceRecord += chunk.length;
      if (sinceRecord > maxRecordBytes)
        throw unreadable(name, `no record ends within ${maxRecordBytes} bytes, after line ${lastGood}`);
      yield chunk;
    }
  }
  pipeline(Readable.from(bounded(), { objectMode: false }), parser, () => {});

  let header: string[] | undefined;
  let columns: CellType[] = [];
  let index = 0;
  // csv-parse counts a carriage return inside quotes as a line of its own.
  let drift = 0;
  const lineOf = (error: CsvError) => (error["lines"] as number) - drift;
  function* malformedBefore(line: number): Generator<Reading> {
    while (skipped[0] !== undefined && (skipped[0]["lines"] as number) < line) {
      const error = skipped.shift()!;
      if (error.code === "CSV_QUOTE_NOT_CLOSED")
        throw unreadable(name, `a quote is opened and never closed, after line ${lastGood}`);
      yield {
        kind: "malformed",
        index: index++,
        at: lineOf(error),
        reason: `malformed CSV: ${error.message.replace(/ (at|on) line \d+/, "")}`,
      };
    }
  }
  let lastGood = 0;
  for await (const { record, info } of parser as AsyncIterable<{ record: (string | null)[]; info: Info }>) {
    sinceRecord = 0;
    yield* malformedBefore(info.lines);
    drift += count(record, "\r");
    const end = info.lines - drift;
    const start = end - count(record, "\n");
    lastGood = end;
    if (header === undefined) {
      header = record.map((cell) => cell ?? "");
      const problem = headerProblem(header);
      if (problem !== null) throw unreadable(name, problem);
      const unnamed = unnamedNote(header, name);
      if (unnamed !== null) dialect.notes.push(unnamed);
      columns = header.map((column) => types.get(column) ?? others);
    } else if (record.length !== header.length) {
      yield {
        kind: "malformed",
        index: index++,
        at: start,
        reason: `${record.length} cells where the header has ${header.length}`,
      };
    } else {
      const fields: Record<string, unknown> = Object.fromEntries(
        header.flatMap((column, i) =>
          column === "" ? [] : [[column, parseCell(record[i]!, columns[i]!, dialect.decimal)]],
        ),
      );
      yield { kind: "record", index: index++, at: start, fields };
    }
  }
  yield* malformedBefore(Infinity);
}

function unreadable(name: string, problem: string): EvaluationError {
  return new EvaluationError({
    code: "csv-unreadable",
    place: name,
    problem,
    expected: "values divided by commas (or `delimiter`), one header line, and quotes doubled inside quotes",
    example: 'id,text,class\n1,"He said ""fine""",1',
  });
}
