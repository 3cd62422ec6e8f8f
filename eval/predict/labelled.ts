import type { EvaluationDataset } from "../dataset/read.ts";
import type { DatasetRow } from "../dataset/row.ts";
import type { Predictions } from "../predictions/predictions.ts";
import type { HeadColumns } from "./head-columns.ts";

/**
 * A model's scores with everything else that a row has: true values, slices, groups and weights, from the dataset.
 *
 * @param scores taken.length × width numbers
 * @param taken positions of the rows in the dataset, ascending
 * @throws EvaluationError `label-mismatch` when the head does not know a row's label
 */
export function labelledPredictions(
  { head, task, classes, threshold, labelOf }: HeadColumns,
  scores: Float64Array,
  taken: readonly number[],
  dataset: EvaluationDataset,
): Predictions {
  const rowOf = (row: number): DatasetRow => dataset.rows[row]!;
  return {
    head,
    task,
    classes,
    scores,
    ids: taken.map((row) => rowOf(row).id),
    labels: Float64Array.from(taken, (row) => labelOf(rowOf(row))),
    slices: Object.fromEntries(dataset.slices.map((name) => [name, taken.map((row) => rowOf(row).slices[name]!)])),
    groups: !dataset.hasGroups ? null : taken.map((row) => rowOf(row).group!),
    weights: !dataset.hasWeights ? null : Float64Array.from(taken, (row) => rowOf(row).weight!),
    ...(threshold === undefined ? {} : { threshold }),
    ...scalesOf(head, taken.map(rowOf)),
    datasetDigest: dataset.digest,
  };
}

function scalesOf(head: string, rows: readonly DatasetRow[]): { naiveScales?: Float64Array } {
  return rows.length > 0 && rows[0]?.naiveScales?.[head] !== undefined
    ? { naiveScales: Float64Array.from(rows, ({ naiveScales }) => naiveScales![head]!) }
    : {};
}
