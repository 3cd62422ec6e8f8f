import { positiveLabel } from "../../models/core/postprocess/classification.ts";
import type { ClassificationResult, RegressionResult } from "../../models/core/postprocess/result.ts";
import type { ClassificationHead, RegressionHead } from "../../models/core/postprocess/schema.ts";
import type { DatasetRow } from "../dataset/row.ts";
import type { Predictions } from "../predictions/predictions.ts";
import { mismatch, type HeadAnswers, type HeadColumns } from "./columns.ts";

type Columns = Omit<HeadColumns, "head" | "task">;

export function regressionColumns(head: RegressionHead): Columns {
  const labelOf = (row: DatasetRow): number => {
    const label = row.labels[head.name];
    if (typeof label !== "number") throw mismatch(head.name, row, "a number");
    return label;
  };
  return {
    classes: [],
    width: 1,
    write: (result, into, at) => void (into[at] = (result as RegressionResult).value),
    list: null,
    check: labelOf,
    collect: (rows, { numbers }) => ({ labels: Float64Array.from(rows, labelOf), scores: numbers, classes: [] }),
    recover: (found, rows) => recovered(found, rows.length),
  };
}

export function classificationColumns(head: ClassificationHead): Columns {
  const positive = positiveLabel(head);
  const binary = head.labels.length === 2;
  const classes = binary ? [...head.labels.filter((label) => label !== positive), positive] : head.labels;
  const scored = binary ? [positive] : classes;
  const threshold = head.threshold === undefined ? {} : { threshold: head.threshold };
  const indexOf = new Map(classes.map((label, i) => [label, i]));
  const labelOf = (row: DatasetRow): number => {
    const index = indexOf.get(row.labels[head.name] as string);
    if (index === undefined) throw mismatch(head.name, row, `one of ${classes.join(", ")}`);
    return index;
  };
  return {
    classes,
    width: scored.length,
    write: (result, into, at) => {
      const { probabilities } = result as ClassificationResult;
      scored.forEach((label, i) => void (into[at + i] = probabilities[label]!));
    },
    list: null,
    check: labelOf,
    collect: (rows, { numbers }) => ({
      labels: Float64Array.from(rows, labelOf),
      scores: numbers,
      classes,
      ...threshold,
    }),
    recover: (found, rows) => recovered(found, rows.length * scored.length),
  };
}

const recovered = ({ scores }: Pick<Predictions, "scores">, count: number): HeadAnswers | null =>
  scores.length === count ? { numbers: scores, lists: [] } : null;
