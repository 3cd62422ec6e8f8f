import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { ConfigurationError, EvaluationError } from "../../../models/core/errors.ts";
import type { DatasetFile } from "../../../models/core/manifest/dataset-file.ts";
import type { CellType } from "./cells.ts";
import type { PlaceStyle, Reading } from "./reading.ts";
import { readCsv } from "./csv.ts";
import { dialectOf, type DecimalMark, type Delimiter, type Dialect } from "./dialect.ts";
import { readUtf8 } from "./encoding.ts";
import { readFolder } from "./folder.ts";
import { readJson } from "./json.ts";
import { readJsonLines } from "./jsonl.ts";
import { withoutPacking } from "./packing.ts";
import { readParquet } from "./parquet.ts";
import type { FileSource } from "./source.ts";

export type Format = NonNullable<DatasetFile["format"]>;

/** The format that a file's name tells; undefined where it tells none. */
export const formatByName = (name: string): Format | undefined =>
  byExtension[extname(withoutPacking(name)).toLowerCase()];

const byExtension: Record<string, Format> = {
  ".csv": "csv",
  ".tsv": "csv",
  ".tab": "csv",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".json": "json",
  ".parquet": "parquet",
  ".pq": "parquet",
};

/**
 * The format of a data file: the declared one, else a folder for a directory, else by extension.
 * @param name the file's name in errors
 * @throws EvaluationError `no-such-file`, `unknown-format`
 */
export async function formatOf(path: string, name: string, declared: Format | undefined): Promise<Format> {
  const found = await stat(path).catch(() => null);
  if (found === null)
    throw new EvaluationError({ code: "no-such-file", place: name, problem: "no such file or folder" });
  const format = declared ?? (found.isDirectory() ? "folder" : formatByName(path));
  if (format === undefined)
    throw new EvaluationError({
      code: "unknown-format",
      place: name,
      problem: "the file's extension does not tell its format",
      expected: `${Object.keys(byExtension).join(", ")}, also with .gz or .zst`,
      received: extname(path) || "none",
      example: "format: jsonl",
      ...(/\.(xlsx?|xlsm|ods)$/i.test(path) ? { hint: "save the sheet as “CSV UTF-8” and name that file" } : {}),
    });
  if ((format === "folder") !== found.isDirectory())
    throw new EvaluationError({
      code: "unknown-format",
      place: name,
      problem: found.isDirectory() ? `a folder cannot be read as ${format}` : "a file cannot be read as a folder",
    });
  return format;
}

/** What is declared about a text file. What is not declared is seen from the file itself. */
export type TextOptions = {
  /** A label as TextDecoder knows them. Default: UTF-8, or what a byte-order mark says. */
  encoding?: string | undefined;
  /** CSV only. */
  delimiter?: Delimiter | undefined;
  /** CSV only. */
  decimal?: DecimalMark | undefined;
  /** JSON only, which is held in memory: most bytes of the text, once it is unpacked. */
  maxBytes?: number | undefined;
};

/** A data file that is being read. */
export type OpenedFile = {
  /** How the places of its records are written. */
  style: PlaceStyle;
  readings: AsyncGenerator<Reading>;
  /** The decimal mark of numbers that are text. */
  decimal: DecimalMark;
  /** What was assumed about the file. */
  notes: string[];
};

/**
 * The records of one data file in order.
 * @param types column → how the cells of a CSV file are read; `others` for columns not named
 * @throws ConfigurationError `text-option` for an option that the format does not have, and the readers' own errors
 */
export async function openReader(
  path: FileSource,
  name: string,
  format: Format,
  types: ReadonlyMap<string, CellType>,
  others: CellType = "guess",
  options: TextOptions = {},
): Promise<OpenedFile> {
  assertOptions(name, format, options);
  const plain = { decimal: "." as const, notes: [] };
  switch (format) {
    case "csv": {
      const { chunks, dialect } = await openCsv(path, name, options);
      const readings = readCsv(chunks, name, dialect, types, others);
      return { style: "line", readings, decimal: dialect.decimal, notes: dialect.notes };
    }
    case "jsonl":
      return { style: "line", readings: readJsonLines(readUtf8(path, name, options.encoding), types), ...plain };
    case "json":
      return {
        style: "item",
        readings: readJson(bounded(readUtf8(path, name, options.encoding), name, options.maxBytes), name, types),
        ...plain,
      };
    case "parquet":
      return { style: "item", readings: readParquet(path, name), ...plain };
    case "folder":
      return { style: "path", readings: readFolder(String(path), name), ...plain };
  }
}

async function* bounded(chunks: AsyncIterable<Buffer>, name: string, maxBytes = Infinity): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new EvaluationError({
        code: "json-too-large",
        place: name,
        problem: "the JSON list is too large to be held in memory",
        expected: `at most ${maxBytes} bytes, unpacked`,
        hint: "one object per line is JSON Lines, which has no such limit",
      });
    yield chunk;
  }
}

/** A CSV file's text as UTF-8, and how it is written. */
export async function openCsv(
  path: FileSource,
  name: string,
  options: TextOptions,
): Promise<{ chunks: AsyncGenerator<Buffer>; dialect: Dialect }> {
  const chunks = readUtf8(path, name, options.encoding);
  const first = await chunks.next();
  const head = first.done === true ? Buffer.alloc(0) : first.value.subarray(0, headBytes);
  async function* all(): AsyncGenerator<Buffer> {
    if (first.done !== true) yield first.value;
    yield* chunks;
  }
  return { chunks: all(), dialect: dialectOf(head, head.length < headBytes, name, options) };
}

/** How much of a file shows how it is written. */
const headBytes = 1 << 16;

function assertOptions(name: string, format: Format, { encoding, delimiter, decimal }: TextOptions): void {
  const wrong =
    format !== "csv" && (delimiter !== undefined || decimal !== undefined)
      ? delimiter === undefined
        ? "decimal"
        : "delimiter"
      : (format === "parquet" || format === "folder") && encoding !== undefined
        ? "encoding"
        : null;
  if (wrong === null) return;
  throw new ConfigurationError({
    code: "text-option",
    place: name,
    problem: `\`${wrong}\` means nothing for a file that is read as ${format}`,
    expected: wrong === "encoding" ? "a CSV, JSON Lines or JSON file" : "a CSV file",
    received: `${wrong}: ${String({ encoding, delimiter, decimal }[wrong])}`,
    example: '- {path: eval.csv, encoding: windows-1252, delimiter: ";", decimal: ","}',
  });
}
