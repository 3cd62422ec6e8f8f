import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { parse, type CsvError, type Info } from "csv-parse";
import { EvaluationError } from "../../../models/core/errors.ts";
import { parseCell, type CellType } from "./cells.ts";
import type { Reading } from "./reading.ts";

const count = (cells: readonly (string | null)[], character: string): number =>
  cells.reduce((sum, cell) => sum + (cell === null ? 0 : cell.split(character).length - 1), 0);

/**
 * Records of a CSV file (RFC 4180, UTF-8, header line) one by one. An unquoted empty cell is missing (null), a quoted
 * one is the empty text. `at` is the line on which a record starts.
 * @param types column → how its cells are read; `others` for columns not named
 * @throws EvaluationError `csv-unreadable` when the header is missing or repeats a name, or a quote is never closed
 */
export async function* readCsv(
  path: string,
  name: string,
  types: ReadonlyMap<string, CellType>,
  others: CellType,
): AsyncGenerator<Reading> {
  const parser = parse({
    bom: true,
    info: true,
    record_delimiter: ["\r\n", "\n"],
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    cast: (text, { quoting }) => (text === "" && !quoting ? null : text),
  });
  const skipped: CsvError[] = [];
  parser.on("skip", (error) => error !== undefined && skipped.push(error));
  // for-await sees the parser's own errors. The pipeline also passes the file's errors on to the parser.
  pipeline(createReadStream(path), parser, () => {});

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
    yield* malformedBefore(info.lines);
    drift += count(record, "\r");
    const end = info.lines - drift;
    const start = end - count(record, "\n");
    lastGood = end;
    if (header === undefined) {
      header = record.map((cell) => cell ?? "");
      const twice = header.find((cell, i) => header!.indexOf(cell) !== i);
      if (twice !== undefined) throw unreadable(name, `the header names ${JSON.stringify(twice)} twice`);
      columns = header.map((column) => types.get(column) ?? others);
    } else if (record.length !== header.length) {
      yield {
        kind: "malformed",
        index: index++,
        at: start,
        reason: `${record.length} cells where the header has ${header.length}`,
      };
    } else {
      const fields = Object.fromEntries(header.map((column, i) => [column, parseCell(record[i]!, columns[i]!)]));
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
    expected: "comma-separated values with one header line and quotes doubled inside quotes",
    example: 'id,text,class\n1,"He said ""fine""",1',
  });
}
