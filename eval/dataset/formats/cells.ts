import type { Dataset, Manifest } from "../../../models/core/manifest/manifest.ts";
import type { PreprocessStep } from "../../../models/core/preprocess/schema.ts";
import type { DecimalMark } from "./dialect.ts";

/** What a CSV cell's text becomes. `guess` is for columns that the manifest says nothing about. */
export type CellType = "text" | "number" | "boolean" | "json" | "guess";

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** The same number with a decimal point; null where it has a point already, which then is no decimal mark. */
function pointed(text: string, mark: DecimalMark): string | null {
  if (mark === ".") return text;
  return text.includes(".") ? null : text.replace(",", ".");
}

/** The value of a decimal number, or null for any other text (NaN, hexadecimal, empty). */
export function parseDecimal(text: string, mark: DecimalMark = "."): number | null {
  const trimmed = pointed(text.trim(), mark);
  return trimmed !== null && decimal.test(trimmed) ? Number(trimmed) : null;
}

/**
 * A CSV cell as the value that the same row would have in JSON. A cell that does not fit its type stays text, so that
 * the model's own input check reports it. Guessed numbers must be written as JSON writes them and have at most 15
 * significant digits: `007` and long identifiers stay text.
 */
export function parseCell(text: string | null, type: CellType, mark: DecimalMark = "."): unknown {
  if (text === null || type === "text") return text;
  if (type === "number") return parseDecimal(text, mark) ?? text;
  if (type === "boolean") return /^(true|1)$/i.test(text) ? true : /^(false|0)$/i.test(text) ? false : text;
  if (type === "json") {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  }
  if (text === "true" || text === "false") return text === "true";
  const number = pointed(text, mark);
  if (
    number !== null &&
    jsonNumber.test(number) &&
    number
      .replace(/[eE].*$/, "")
      .replace(/\D/g, "")
      .replace(/^0+/, "").length <= 15
  )
    return Number(number);
  return text;
}

/** The fields of a row that a preprocessing step reads, and how their cells are read. */
export function stepCells(step: PreprocessStep): [string, CellType][] {
  switch (step.kind) {
    case "text":
      return [[step.field, "text"], ...step.append.map((field): [string, CellType] => [field, "text"])];
    case "image":
    case "audio":
      return [[step.field, "text"]];
    case "strings":
      return step.fields.map((field): [string, CellType] => [field, "text"]);
    case "items":
    case "tensor":
    case "series":
      return [[step.field, "json"]];
    case "lookup":
      return [
        ...step.key.map((name): [string, CellType] => [name, "text"]),
        ...(step.time === undefined ? [] : [[step.time, "guess"] as [string, CellType]]),
      ];
    case "tabular":
      return Object.entries(step.columns).flatMap(([name, { type }]): [string, CellType][] =>
        type === "present" || type === "lookup"
          ? []
          : [
              [
                name,
                type === "number"
                  ? "number"
                  : type === "boolean"
                    ? "boolean"
                    : type === "number-list"
                      ? "json"
                      : "text",
              ],
            ],
      );
  }
}

/**
 * Column of the dataset → how its cells are read: by the type that the model's preprocessing declares, else as text
 * when the column is an id, label, series, slice, group or weight. Lists that heads read are JSON.
 */
export function cellTypes(
  preprocess: Manifest["preprocess"],
  dataset: Pick<Dataset, "rename" | "idField" | "group" | "entity" | "weight" | "time" | "slices" | "labels">,
  postprocess: Manifest["postprocess"] = [],
): Map<string, CellType> {
  const types = new Map<string, CellType>();
  const listed = postprocess.flatMap((head) =>
    head.kind === "ranking" ? [head.exclude] : head.kind === "series" ? [head.history, head.flag?.observed] : [],
  );
  for (const field of listed)
    if (field !== undefined) types.set(Object.hasOwn(dataset.rename, field) ? dataset.rename[field]! : field, "json");
  for (const step of Object.values(preprocess)) {
    for (const [field, type] of stepCells(step)) {
      const column = Object.hasOwn(dataset.rename, field) ? dataset.rename[field]! : field;
      if (!types.has(column)) types.set(column, type);
    }
  }
  const plain = [
    dataset.idField,
    dataset.group,
    dataset.entity,
    dataset.weight,
    ...dataset.slices,
    ...Object.values(dataset.labels).flatMap((label) => [
      label.field,
      label.gains,
      label.series,
      label.step,
      label.naive2,
    ]),
  ];
  for (const column of plain) if (column !== undefined && !types.has(column)) types.set(column, "text");
  if (dataset.time !== undefined && !types.has(dataset.time)) types.set(dataset.time, "guess");
  return types;
}
