import { parseDate } from "../expression/dates.ts";
import type { Manifest } from "./manifest.ts";
import type { PreprocessStep, TabularStep } from "../preprocess/schema.ts";

type Check = (value: unknown) => boolean;

/**
 * A fast yes: true only for rows that `rowSchema` of the same manifest accepts too. Whoever gets false asks the schema,
 * which has the last word and the words.
 */
export function rowChecker(manifest: Pick<Manifest, "preprocess">): (row: unknown) => boolean {
  const checks = new Map<string, Check>();
  // As in the schema, the last step that reads a field says what it must be.
  for (const step of Object.values(manifest.preprocess))
    for (const [name, check] of fieldsOf(step)) checks.set(name, check);
  const all = [...checks];
  return (row) => {
    if (typeof row !== "object" || row === null || Array.isArray(row)) return false;
    for (let i = 0; i < all.length; i++) if (!all[i]![1]((row as Record<string, unknown>)[all[i]![0]])) return false;
    return true;
  };
}

const isText: Check = (value) => typeof value === "string";
const orMissing =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);
const isNumber: Check = (value) => typeof value === "number" && Number.isFinite(value);

function fieldsOf(step: PreprocessStep): [name: string, check: Check][] {
  switch (step.kind) {
    case "text": {
      const fits: Check = (value) => typeof value === "string" && value.length <= step.maxCharacters;
      return [[step.field, fits], ...step.append.map((name): [string, Check] => [name, orMissing(fits)])];
    }
    case "image":
      return [[step.field, step.missing === "reject" ? isText : orMissing(isText)]];
    case "tensor":
      return [
        [
          step.field,
          step.shape.reduceRight<Check>(
            (inner, size) => (inner === isNumber ? numbers(size) : list(size, inner)),
            isNumber,
          ),
        ],
      ];
    case "tabular":
      return Object.entries(step.columns).flatMap(([name, column]) =>
        column.type === "present" ? [] : [[name, columnCheck(column)]],
      );
  }
}

const numbers =
  (length: number): Check =>
  (value) => {
    if (!Array.isArray(value) || value.length !== length) return false;
    for (let i = 0; i < length; i++) {
      const item: unknown = value[i];
      if (typeof item !== "number" || !Number.isFinite(item)) return false;
    }
    return true;
  };

const list =
  (length: number, inner: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length === length && value.every(inner);

type ValueColumn = Exclude<TabularStep["columns"][string], { type: "present" }>;

function columnCheck(column: ValueColumn): Check {
  if (column.type === "number-list") return numbers(column.length);
  const check = valueCheck(column);
  return column.missing === "reject" ? check : orMissing(check);
}

function valueCheck(column: Exclude<ValueColumn, { type: "number-list" }>): Check {
  switch (column.type) {
    case "number": {
      const { min = -Infinity, max = Infinity } = column;
      return (value) => isNumber(value) && (value as number) >= min && (value as number) <= max;
    }
    case "string":
      return isText;
    case "boolean":
      return (value) => typeof value === "boolean";
    case "date":
      return (value) => typeof value === "string" && parseDate(value) !== null;
  }
}
