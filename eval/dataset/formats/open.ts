import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { EvaluationError } from "../../../models/core/errors.ts";
import type { DatasetFile } from "../../../models/core/manifest/manifest.ts";
import type { CellType } from "./cells.ts";
import type { PlaceStyle, Reading } from "./reading.ts";
import { readCsv } from "./csv.ts";
import { readFolder } from "./folder.ts";
import { readJson } from "./json.ts";
import { readJsonLines } from "./jsonl.ts";
import { readParquet } from "./parquet.ts";

export type Format = NonNullable<DatasetFile["format"]>;

const byExtension: Record<string, Format> = {
  ".csv": "csv",
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
  const format = declared ?? (found.isDirectory() ? "folder" : byExtension[extname(path).toLowerCase()]);
  if (format === undefined)
    throw new EvaluationError({
      code: "unknown-format",
      place: name,
      problem: "the file's extension does not tell its format",
      expected: Object.keys(byExtension).join(", "),
      received: extname(path) || "none",
      example: "format: jsonl",
    });
  if ((format === "folder") !== found.isDirectory())
    throw new EvaluationError({
      code: "unknown-format",
      place: name,
      problem: found.isDirectory() ? `a folder cannot be read as ${format}` : "a file cannot be read as a folder",
    });
  return format;
}

/**
 * The records of one data file in order, and how their places are written.
 * @param types column → how the cells of a CSV file are read; `others` for columns not named
 */
export function openReader(
  path: string,
  name: string,
  format: Format,
  types: ReadonlyMap<string, CellType>,
  others: CellType = "guess",
): { style: PlaceStyle; readings: AsyncGenerator<Reading> } {
  switch (format) {
    case "csv":
      return { style: "line", readings: readCsv(path, name, types, others) };
    case "jsonl":
      return { style: "line", readings: readJsonLines(path) };
    case "json":
      return { style: "item", readings: readJson(path, name) };
    case "parquet":
      return { style: "item", readings: readParquet(path, name) };
    case "folder":
      return { style: "path", readings: readFolder(path, name) };
  }
}
