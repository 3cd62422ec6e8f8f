import type { Dataset } from "../../models/core/manifest/manifest.ts";
import type { Head } from "../../models/core/postprocess/schema.ts";
import { parseDecimal } from "./formats/cells.ts";
import type { DecimalMark } from "./formats/dialect.ts";
import { normalForm } from "./normal-form.ts";
import { missingSlice } from "./slice-values.ts";

/** One row that can be evaluated. */
export type DatasetRow = {
  /** Unique in the dataset. */
  id: string;
  /** What the model is given: every field of the record under the model's names, without the true values. */
  row: Record<string, unknown>;
  /** Head → true value: the label's name (classification) or a finite number (regression). */
  labels: Record<string, string | number>;
  /** Slice column → value. */
  slices: Record<string, string>;
  group: string | null;
  /** Finite, not negative. */
  weight: number | null;
  /**
   * Head → error of the naive forecast on the training data of the row's series; finite, not negative. Present only
   * when labels declare it.
   */
  naiveScales?: Record<string, number>;
};

/** Why a record cannot become a row. */
class Unusable extends Error {}

function present(fields: Record<string, unknown>, name: string): unknown {
  if (!Object.hasOwn(fields, name))
    throw new Unusable(`no field "${name}"; the row has: ${Object.keys(fields).join(", ") || "nothing"}`);
  const value = fields[name];
  if (value === null || value === undefined) throw new Unusable(`field "${name}" is empty`);
  return value;
}

function plain(fields: Record<string, unknown>, name: string): string {
  const value = present(fields, name);
  if (typeof value === "string") return value;
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
  throw new Unusable(`field "${name}" is not a plain value`);
}

/** A slice's value. Rows without one, or with an empty one, are a slice of their own. */
function sliceValue(fields: Record<string, unknown>, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : null;
  return value === null || value === undefined || value === "" ? missingSlice : plain(fields, name);
}

function finite(text: string, name: string, mark: DecimalMark): number {
  const value = parseDecimal(text, mark);
  if (value === null || !Number.isFinite(value))
    throw new Unusable(`field "${name}" is not a finite number: ${JSON.stringify(text.slice(0, 80))}`);
  return value;
}

/** How the labels of one head are read. Texts are compared in normal form, those of the manifest too. */
type LabelReader = {
  where: Dataset["labels"][string];
  head: Head;
  map: ReadonlyMap<string, string> | undefined;
  /** Label in normal form → as the head writes it. */
  known: ReadonlyMap<string, string>;
};

function labelReader(where: Dataset["labels"][string], head: Head): LabelReader {
  const { map } = where;
  return {
    where,
    head,
    map: map === undefined ? undefined : new Map(Object.entries(map).map(([from, to]) => [normalForm(from), to])),
    known: new Map(head.kind === "regression" ? [] : head.labels.map((one) => [normalForm(one), one])),
  };
}

function label({ where: { field }, head, map, known }: LabelReader, text: string, mark: DecimalMark): string | number {
  const value = map === undefined ? text : map.get(text);
  if (value === undefined)
    throw new Unusable(
      `label ${JSON.stringify(text.slice(0, 80))} in "${field}" is not in the map (${[...map!.keys()].join(", ")})`,
    );
  if (head.kind === "regression") return finite(value, field, map === undefined ? mark : ".");
  const found = known.get(normalForm(value));
  if (found === undefined)
    throw new Unusable(
      `label ${JSON.stringify(value.slice(0, 80))} in "${field}" is unknown to head "${head.name}" (${head.labels.join(", ")})${map === undefined ? `; where it stands for one of them: dataset.labels.${head.name}.map, e.g. {${JSON.stringify(value.slice(0, 80))}: ${head.labels[0]}}` : ""}`,
    );
  return found;
}

function naiveScale(fields: Record<string, unknown>, declared: number | string, mark: DecimalMark): number {
  if (typeof declared === "number") return declared;
  const value = finite(plain(fields, declared), declared, mark);
  if (value < 0) throw new Unusable(`field "${declared}" is negative: ${value}`);
  return value;
}

/**
 * The record under the model's names. Property descriptors are copied, not values, because a folder's files are read on
 * access. Fields with true values are left out unless `rename` asks for them, so that a model cannot read the answer
 * from its row.
 */
function modelFields(fields: Record<string, unknown>, dataset: Dataset): Record<string, unknown> {
  const renamed = Object.entries(dataset.rename);
  const leftOut = new Set([
    ...renamed.map(([, from]) => from),
    ...Object.values(dataset.labels).map((one) => one.field),
  ]);
  const row: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    if (!leftOut.has(name)) Object.defineProperty(row, name, Object.getOwnPropertyDescriptor(fields, name)!);
  }
  for (const [to, from] of renamed) {
    const found = Object.getOwnPropertyDescriptor(fields, from);
    if (found !== undefined) Object.defineProperty(row, to, found);
  }
  return row;
}

/** Makes rows of one dataset from records. */
export type RowParser = {
  /**
   * A string says why a record is unusable.
   * @param mark of numbers that are text
   */
  parse: (fields: Record<string, unknown>, fallbackId: string, mark: DecimalMark) => DatasetRow | string;
  /** What was not in Unicode normal form: how many texts, and the first of them. */
  renormalised: () => { count: number; first: string | undefined };
};

/** The id, slice, group and weight fields go by the dataset's own names, before `rename`. */
export function createRowParser(dataset: Dataset, heads: readonly Head[]): RowParser {
  const labelled = Object.entries(dataset.labels).map(([name, where]) =>
    labelReader(
      where,
      heads.find((one) => one.name === name)!,
    ),
  );
  const scaled = labelled.filter(({ where }) => where.naiveScale !== undefined);
  // A million rows share few slice values. One string is kept per value, not one per row.
  const interned = new Map<string, string>();
  const intern = (text: string) => interned.get(text) ?? (interned.set(text, text), text);
  let count = 0;
  let first: string | undefined;
  const normal = (text: string): string => {
    const changed = normalForm(text);
    if (changed !== text) {
      count++;
      first ??= text;
    }
    return changed;
  };
  const parse: RowParser["parse"] = (fields, fallbackId, mark) => {
    try {
      const id = dataset.idField === undefined ? fallbackId : normal(plain(fields, dataset.idField));
      if (id === "") throw new Unusable(`field "${dataset.idField}" is empty`);
      const labels = Object.fromEntries(
        labelled.map((one) => [one.head.name, label(one, normal(plain(fields, one.where.field)), mark)]),
      );
      const slices = Object.fromEntries(dataset.slices.map((name) => [name, intern(normal(sliceValue(fields, name)))]));
      const group = dataset.group === undefined ? null : intern(normal(plain(fields, dataset.group)));
      const weight = dataset.weight === undefined ? null : finite(plain(fields, dataset.weight), dataset.weight, mark);
      if (weight !== null && weight < 0) throw new Unusable(`field "${dataset.weight}" is negative: ${weight}`);
      const naiveScales = Object.fromEntries(
        scaled.map(({ where, head }) => [head.name, naiveScale(fields, where.naiveScale!, mark)]),
      );
      return {
        id,
        row: modelFields(fields, dataset),
        labels,
        slices,
        group,
        weight,
        ...(scaled.length === 0 ? {} : { naiveScales }),
      };
    } catch (error) {
      if (error instanceof Unusable) return error.message;
      throw error;
    }
  };
  return { parse, renormalised: () => ({ count, first }) };
}
