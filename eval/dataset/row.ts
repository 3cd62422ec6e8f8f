import type { Dataset } from "../../models/core/manifest/manifest.ts";
import type { Head } from "../../models/core/postprocess/schema.ts";
import { parseDecimal } from "./formats/cells.ts";

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
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
  throw new Unusable(`field "${name}" is not a plain value`);
}

function finite(text: string, name: string): number {
  const value = parseDecimal(text);
  if (value === null || !Number.isFinite(value))
    throw new Unusable(`field "${name}" is not a finite number: ${JSON.stringify(text.slice(0, 80))}`);
  return value;
}

function label(
  fields: Record<string, unknown>,
  { field, map }: Dataset["labels"][string],
  head: Head,
): string | number {
  const raw = plain(fields, field);
  if (map !== undefined && !Object.hasOwn(map, raw))
    throw new Unusable(
      `label ${JSON.stringify(raw.slice(0, 80))} in "${field}" is not in the map (${Object.keys(map).join(", ")})`,
    );
  const value = map === undefined ? raw : map[raw]!;
  if (head.kind === "regression") return finite(value, field);
  if (!head.labels.includes(value))
    throw new Unusable(
      `label ${JSON.stringify(value.slice(0, 80))} in "${field}" is unknown to head "${head.name}" (${head.labels.join(", ")})${map === undefined ? `; where it stands for one of them: dataset.labels.${head.name}.map, e.g. {${JSON.stringify(value.slice(0, 80))}: ${head.labels[0]}}` : ""}`,
    );
  return value;
}

function naiveScale(fields: Record<string, unknown>, declared: number | string): number {
  if (typeof declared === "number") return declared;
  const value = finite(plain(fields, declared), declared);
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

/**
 * Makes rows of one dataset from records. A string says why a record is unusable. The id, slice, group and weight
 * fields go by the dataset's own names, before `rename`.
 */
export function createRowParser(
  dataset: Dataset,
  heads: readonly Head[],
): (fields: Record<string, unknown>, fallbackId: string) => DatasetRow | string {
  const labelled = Object.entries(dataset.labels).map(([name, where]) => ({
    where,
    head: heads.find((one) => one.name === name)!,
  }));
  const scaled = labelled.filter(({ where }) => where.naiveScale !== undefined);
  // A million rows share few slice values. One string is kept per value, not one per row.
  const interned = new Map<string, string>();
  const intern = (text: string) => interned.get(text) ?? (interned.set(text, text), text);
  return (fields, fallbackId) => {
    try {
      const id = dataset.idField === undefined ? fallbackId : plain(fields, dataset.idField);
      if (id === "") throw new Unusable(`field "${dataset.idField}" is empty`);
      const labels = Object.fromEntries(labelled.map(({ where, head }) => [head.name, label(fields, where, head)]));
      const slices = Object.fromEntries(dataset.slices.map((name) => [name, intern(plain(fields, name))]));
      const group = dataset.group === undefined ? null : intern(plain(fields, dataset.group));
      const weight = dataset.weight === undefined ? null : finite(plain(fields, dataset.weight), dataset.weight);
      if (weight !== null && weight < 0) throw new Unusable(`field "${dataset.weight}" is negative: ${weight}`);
      const naiveScales = Object.fromEntries(
        scaled.map(({ where, head }) => [head.name, naiveScale(fields, where.naiveScale!)]),
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
}
