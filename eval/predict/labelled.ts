import type { EvaluationDataset } from "../dataset/read.ts";
import type { DatasetRow } from "../dataset/row.ts";
import type { Predictions } from "../predictions/predictions.ts";
import type { HeadAnswers, HeadColumns } from "./columns.ts";

/**
 * A model's answers with everything else that a row has: true values, slices, groups and weights, from the dataset.
 *
 * @param answers to the rows in `taken`
 * @param taken positions of the rows in the dataset, ascending
 * @returns `expanded`: whether rows of the dataset became several
 * @throws EvaluationError `label-mismatch` when the head does not know a row's label
 */
export function labelledPredictions(
  { head, task, collect }: HeadColumns,
  answers: HeadAnswers,
  taken: readonly number[],
  dataset: EvaluationDataset,
): { predictions: Predictions; expanded: boolean } {
  const origins = taken.map((row) => dataset.rows[row]!);
  const { expanded, ...own } = collect(origins, answers);
  const rows: DatasetRow[] = expanded === undefined ? origins : Array.from(expanded.owner, (row) => origins[row]!);
  const predictions: Predictions = {
    head,
    task,
    ...own,
    ids: expanded?.ids ?? rows.map(({ id }) => id),
    slices: Object.fromEntries(dataset.slices.map((name) => [name, rows.map(({ slices }) => slices[name]!)])),
    // Rows of one series are not independent.
    groups: dataset.hasGroups ? rows.map(({ group }) => group!) : (own.forecasts?.series ?? null),
    ...entitiesOf(rows),
    weights: !dataset.hasWeights ? null : Float64Array.from(rows, ({ weight }) => weight!),
    ...scalesOf(head, rows),
    datasetDigest: dataset.digest,
  };
  return { predictions, expanded: expanded !== undefined };
}

function entitiesOf(rows: readonly DatasetRow[]): { entities?: string[] } {
  return rows[0]?.entity === undefined ? {} : { entities: rows.map(({ entity }) => entity!) };
}

function scalesOf(head: string, rows: readonly DatasetRow[]): { naiveScales?: Float64Array } {
  return rows.length > 0 && rows[0]?.naiveScales?.[head] !== undefined
    ? { naiveScales: Float64Array.from(rows, ({ naiveScales }) => naiveScales![head]!) }
    : {};
}
