import type { Augmentation } from "../../models/core/manifest/augmentations.ts";
import { augmentationWords } from "./augmentation-words.ts";
import { isWeaker } from "./weaker-augmentation.ts";
import type { EvaluationDataset } from "./read.ts";
import type { DatasetRow } from "./row.ts";
import type { TrueValue } from "./true-value.ts";
import type { DatasetChange } from "../schema/verdict.ts";
import { canonical } from "./canonical.ts";

/** Names in a list of examples. */
const named = 5;
/** Slice values in a list. */
const listed = 20;

type Versions = "base" | "candidate";
export type DatasetDifference = Omit<DatasetChange, "judgedOn" | "figures">;

/**
 * What differs between two versions of a dataset, row by row (by id); null when every row is the same. A slice column
 * that only one of them has changes no row, but is told among the slices. Pure.
 */
export function datasetDifference(base: EvaluationDataset, candidate: EvaluationDataset): DatasetDifference | null {
  const before = new Map(base.rows.map((row) => [row.id, row]));
  const after = new Map(candidate.rows.map((row) => [row.id, row]));
  const added = candidate.rows.filter(({ id }) => !before.has(id)).map(({ id }) => id);
  const removed = base.rows.filter(({ id }) => !after.has(id)).map(({ id }) => id);
  const shared = base.rows.flatMap((row) => {
    const other = after.get(row.id);
    return other === undefined ? [] : [{ row, other }];
  });
  const columns = base.slices.filter((column) => candidate.slices.includes(column));
  const content = (row: DatasetRow) =>
    canonical({ ...row, slices: Object.fromEntries(columns.map((column) => [column, row.slices[column]])) });
  const changed = shared.filter(({ row, other }) => content(row) !== content(other));
  const sameColumns = columns.length === Math.max(base.slices.length, candidate.slices.length);
  const augmentations = augmentationChanges(base.augmentations ?? [], candidate.augmentations ?? []);
  if (added.length + removed.length + changed.length + augmentations.length === 0 && sameColumns) return null;
  const heads = base.heads.filter((head) => candidate.heads.includes(head));
  return {
    base: describe(base),
    candidate: describe(candidate),
    added: added.length,
    removed: removed.length,
    changed: changed.length,
    relabelled: changed.filter(({ row, other }) => canonical(row.labels) !== canonical(other.labels)).length,
    examples: {
      added: added.slice(0, named),
      removed: removed.slice(0, named),
      changed: changed.slice(0, named).map(({ row }) => row.id),
    },
    labels: heads.map((head) => ({ head, base: spread(base.rows, head), candidate: spread(candidate.rows, head) })),
    slices: [...new Set([...base.slices, ...candidate.slices])].flatMap((column) => {
      const values = { base: valuesOf(base, column), candidate: valuesOf(candidate, column) };
      const only = (one: Versions, other: Versions) =>
        [...values[one]].filter((value) => !values[other].has(value)).slice(0, listed);
      const [gained, lost] = [only("candidate", "base"), only("base", "candidate")];
      return gained.length + lost.length === 0 ? [] : [{ column, gained, lost }];
    }),
    ...(augmentations.length === 0 ? {} : { augmentations }),
  };
}

/** The augmentations, by name, that only one version has, or both in another form. */
function augmentationChanges(
  base: readonly Augmentation[],
  candidate: readonly Augmentation[],
): NonNullable<DatasetChange["augmentations"]> {
  const names = [...new Set([...base, ...candidate].map(({ name }) => name))];
  return names.flatMap((name) => {
    const [before, after] = [base, candidate].map((all) => all.find((one) => one.name === name));
    return canonical(before) === canonical(after)
      ? []
      : [
          {
            name,
            base: words(before),
            candidate: words(after),
            weaker: before !== undefined && isWeaker(before, after),
          },
        ];
  });
}

const words = (one: Augmentation | undefined) =>
  one === undefined ? null : `${augmentationWords(one)}${one.seed === undefined ? "" : `, seed ${one.seed}`}`;

/** The values of a slice column; none when the dataset does not have it. */
export function valuesOf({ rows, slices }: EvaluationDataset, column: string): Set<string> {
  return new Set(slices.includes(column) ? rows.map((row) => row.slices[column]!) : []);
}

function describe({ id, digest, rows, badRows }: EvaluationDataset) {
  return { id, digest, rows: rows.length, badRows: badRows.length };
}

function spread(rows: readonly DatasetRow[], head: string): DatasetChange["labels"][number]["base"] {
  const labels = rows.flatMap((row) => summary(row.labels[head]!));
  if (labels.every((label) => typeof label === "number"))
    return { mean: labels.reduce((sum, label) => sum + label, 0) / Math.max(1, labels.length) };
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(String(label), (counts.get(String(label)) ?? 0) + 1);
  return { rows: Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}

/** A true value as labels or numbers that can be counted: spans by their types, the others by how much there is. */
function summary(value: TrueValue): (string | number)[] {
  if (typeof value !== "object") return [value];
  switch (value.kind) {
    case "relevant":
      return [value.items.length];
    case "spans":
      return value.spans.map(({ type }) => type);
    case "references":
      return [value.texts[0]!.length];
    case "actuals":
      return value.values;
  }
}
