import type { Dataset } from "../../models/core/manifest/manifest.ts";
import type { Head } from "../../models/core/postprocess/schema.ts";
import type { DecimalMark } from "./formats/dialect.ts";
import { canonical } from "./canonical.ts";
import { normalForm } from "./normal-form.ts";
import { missingSlice } from "./slice-values.ts";
import { joinItems, structuredLabel } from "./structured-label.ts";
import type { RelevantItems, TrueValue } from "./true-value.ts";
import { finite, plain, Unusable } from "./unusable.ts";

/** One row that can be evaluated. */
export type DatasetRow = {
  /** Unique in the dataset. */
  id: string;
  /** What the model is given: every field of the record under the model's names, without the true values. */
  row: Record<string, unknown>;
  /** Head → true value. */
  labels: Record<string, TrueValue>;
  /** Slice column → value. */
  slices: Record<string, string>;
  group: string | null;
  /** Whom an alert is about; present only when the dataset declares it. */
  entity?: string;
  /** Finite, not negative. */
  weight: number | null;
  /**
   * Head → error of the naive forecast on the training data of the row's series; finite, not negative. Present only
   * when labels declare it.
   */
  naiveScales?: Record<string, number>;
};

/** A slice's value. Rows without one, or with an empty one, are a slice of their own. */
function sliceValue(fields: Record<string, unknown>, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : null;
  return value === null || value === undefined || value === "" ? missingSlice : plain(fields, name);
}

/** Reads the true value of one head. Texts are compared in normal form, those of the manifest too. */
type LabelReader = {
  where: Dataset["labels"][string];
  head: Head;
  read: (fields: Record<string, unknown>, mark: DecimalMark, owner: string) => TrueValue;
};

/** @param normal a text in normal form */
function labelReader(where: Dataset["labels"][string], head: Head, normal: (text: string) => string): LabelReader {
  const structured = structuredLabel(where, head);
  if (structured !== null) return { where, head, read: (fields, mark, owner) => structured({ fields, mark, owner }) };
  const { field } = where;
  const map =
    where.map === undefined ? null : new Map(Object.entries(where.map).map(([from, to]) => [normalForm(from), to]));
  const labels = head.kind === "classification" ? head.labels : [];
  const known = new Map(labels.map((one) => [normalForm(one), one]));
  const read: LabelReader["read"] = (fields, mark) => {
    const text = normal(plain(fields, field));
    const value = map === null ? text : map.get(text);
    if (value === undefined)
      throw new Unusable(
        `label ${JSON.stringify(text.slice(0, 80))} in "${field}" is not in the map (${[...map!.keys()].join(", ")})`,
      );
    if (head.kind === "regression") return finite(value, field, map === null ? mark : ".");
    const found = known.get(normalForm(value));
    if (found === undefined)
      throw new Unusable(
        `label ${JSON.stringify(value.slice(0, 80))} in "${field}" is unknown to head "${head.name}" (${labels.join(", ")})${map === null ? `; where it stands for one of them: dataset.labels.${head.name}.map, e.g. {${JSON.stringify(value.slice(0, 80))}: ${labels[0]}}` : ""}`,
      );
    return found;
  };
  return { where, head, read };
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
    ...Object.values(dataset.labels).flatMap((one) => [one.field, ...(one.gains === undefined ? [] : [one.gains])]),
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
  /**
   * Whether the rows of an id are one user, each with one relevant item. `join` puts a further row's items into the
   * user's row; a string says why it cannot.
   */
  join: ((user: DatasetRow, further: DatasetRow) => string | null) | null;
  /** What was not in Unicode normal form: how many texts, and the first of them. */
  renormalised: () => { count: number; first: string | undefined };
};

/** The id, slice, group and weight fields go by the dataset's own names, before `rename`. */
export function createRowParser(dataset: Dataset, heads: readonly Head[]): RowParser {
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
  const labelled = Object.entries(dataset.labels).map(([name, where]) =>
    labelReader(
      where,
      heads.find((one) => one.name === name)!,
      normal,
    ),
  );
  const scaled = labelled.filter(({ where }) => where.naiveScale !== undefined);
  const parse: RowParser["parse"] = (fields, fallbackId, mark) => {
    try {
      const id = dataset.idField === undefined ? fallbackId : normal(plain(fields, dataset.idField));
      if (id === "") throw new Unusable(`field "${dataset.idField}" is empty`);
      const slices = Object.fromEntries(dataset.slices.map((name) => [name, intern(normal(sliceValue(fields, name)))]));
      const group = dataset.group === undefined ? null : intern(normal(plain(fields, dataset.group)));
      const entity = dataset.entity === undefined ? undefined : intern(normal(plain(fields, dataset.entity)));
      const labels = Object.fromEntries(labelled.map(({ head, read }) => [head.name, read(fields, mark, group ?? id)]));
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
        ...(entity === undefined ? {} : { entity }),
        weight,
        ...(scaled.length === 0 ? {} : { naiveScales }),
      };
    } catch (error) {
      if (error instanceof Unusable) return error.message;
      throw error;
    }
  };
  const perItem = labelled.filter(({ where }) => where.rows === "items").map(({ head }) => head.name);
  return {
    parse,
    join: perItem.length === 0 ? null : (user, further) => join(user, further, perItem),
    renormalised: () => ({ count, first }),
  };
}

/** A user's rows differ in nothing but their items. */
function join(user: DatasetRow, further: DatasetRow, perItem: readonly string[]): string | null {
  const rest = ({ labels, ...row }: DatasetRow) =>
    canonical({ ...row, labels: Object.entries(labels).filter(([head]) => !perItem.includes(head)) });
  if (rest(user) !== rest(further))
    return `the rows of ${JSON.stringify(user.id)} differ in more than their items, and a user is answered once`;
  try {
    const joined = perItem.map(
      (head) => [head, joinItems(user.labels[head] as RelevantItems, further.labels[head] as RelevantItems)] as const,
    );
    Object.assign(user.labels, Object.fromEntries(joined));
    return null;
  } catch (error) {
    if (error instanceof Unusable) return error.message;
    throw error;
  }
}
