import type { Task } from "../../models/core/manifest/manifest.ts";
import { metricsFor, type Sample } from "./catalog.ts";
import type { Predictions } from "../predictions/predictions.ts";
import type { Measurement } from "../schema/metrics.ts";

/** Rows of each slice, by position; "all" and every COLUMN=VALUE, in order of first appearance. */
export function slicesOf(predictions: Pick<Predictions, "ids" | "slices">): Map<string, Int32Array> {
  const rows = predictions.ids.length;
  const slices = new Map<string, Int32Array>([["all", Int32Array.from({ length: rows }, (_, i) => i)]]);
  for (const [column, values] of Object.entries(predictions.slices)) {
    const members = new Map<string, number[]>();
    values.forEach((value, row) => {
      const found = members.get(value);
      if (found === undefined) members.set(value, [row]);
      else found.push(row);
    });
    for (const [value, list] of members) slices.set(`${column}=${value}`, Int32Array.from(list));
  }
  return slices;
}

/** The rows of one slice as the metrics take them. */
export function sampleOf(predictions: Predictions, rows: Int32Array): Sample {
  const columns = scoreColumns(predictions);
  const scores = new Float64Array(rows.length * columns);
  rows.forEach((row, i) => {
    for (let column = 0; column < columns; column++)
      scores[i * columns + column] = predictions.scores[row * columns + column] as number;
  });
  return {
    labels: Float64Array.from(rows, (row) => predictions.labels[row] as number),
    scores,
    classCount: predictions.classes.length,
    weights:
      predictions.weights === null ? null : Float64Array.from(rows, (row) => predictions.weights?.[row] as number),
    groups: predictions.groups === null ? null : Array.from(rows, (row) => predictions.groups?.[row] as string),
    ...(predictions.naiveScales === undefined
      ? {}
      : { naiveScales: Float64Array.from(rows, (row) => predictions.naiveScales?.[row] as number) }),
  };
}

function scoreColumns(predictions: Predictions): number {
  return predictions.task === "multiclass-classification" ? predictions.classes.length : 1;
}

/** Fewest rows of any class (classification), or rows (everything else): what a small-sample rule looks at. */
export function supportOf(sample: Sample): { rows: number; fewest: number; words: string } {
  const rows = sample.labels.length;
  if (sample.classCount === 0) return { rows, fewest: rows, words: `${rows} rows` };
  const perClass = new Array<number>(sample.classCount).fill(0);
  for (const label of sample.labels)
    if (label >= 0 && label < sample.classCount) perClass[label] = (perClass[label] as number) + 1;
  const words =
    sample.classCount === 2
      ? `${perClass[1]} positives and ${perClass[0]} negatives`
      : `${rows} rows, ${Math.min(...perClass)} in the rarest class`;
  return { rows, fewest: Math.min(...perClass), words };
}

export type MeasureRequest = {
  level: number;
  seed: number;
  intervals: boolean;
  /** Unit of the labels of a regression, e.g. EUR; what metrics whose unit is "label" are shown in. */
  labelUnit?: string;
};

/** Every metric of the task that the predictions say enough for, over all rows and over each slice. */
export function measure(
  predictions: Predictions,
  task: Task,
  head: string | null,
  { level, seed, intervals, labelUnit = "" }: MeasureRequest,
): Measurement[] {
  return [...slicesOf(predictions)].flatMap(([slice, rows]) => {
    const sample = sampleOf(predictions, rows);
    return metricsFor(task)
      .filter((definition) => definition.listed?.(sample) ?? true)
      .map((definition): Measurement => ({
        metric: definition.name,
        options: {},
        head,
        slice,
        unit: definition.unit === "label" ? labelUnit : definition.unit,
        direction: definition.direction,
        result: definition.measure(sample, { level, seed, intervals }),
      }));
  });
}
