import type { Answers, Forecasts, Predictions } from "./predictions.ts";
import { selectAnswers } from "./select-answers.ts";

/** The per-row columns of a table: of `Predictions`, or of a metric's sample, whose answers are a view. */
type RowColumns = Pick<
  Predictions,
  "labels" | "scores" | "weights" | "groups" | "entities" | "naiveScales" | "forecasts" | "answers"
> & { answerRows?: { of: Answers; rows: Int32Array } };

/**
 * The rows at these positions, in this order; a position may occur several times. Whatever else the table holds stays
 * as it is.
 */
export function selectRows<Table extends RowColumns>(table: Table, rows: Int32Array): Table {
  const { labels, scores, weights, groups, entities, naiveScales, forecasts, answers, answerRows } = table;
  const width = labels.length === 0 ? 0 : Math.round(scores.length / labels.length);
  const selected = new Float64Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] as number) * width;
    for (let k = 0; k < width; k++) selected[i * width + k] = scores[from + k] as number;
  }
  return {
    ...table,
    labels: answers === undefined ? picked(labels, rows) : labels,
    scores: selected,
    weights: weights === null ? null : picked(weights, rows),
    groups: groups === null ? null : Array.from(rows, (row) => groups[row] as string),
    ...(entities === undefined ? {} : { entities: Array.from(rows, (row) => entities[row] as string) }),
    ...(naiveScales === undefined ? {} : { naiveScales: picked(naiveScales, rows) }),
    ...(answers === undefined ? {} : { answers: selectAnswers(answers, rows) }),
    ...(answerRows === undefined
      ? {}
      : { answerRows: { of: answerRows.of, rows: rows.map((row) => answerRows.rows[row] as number) } }),
    ...(forecasts === undefined ? {} : { forecasts: selectForecasts(forecasts, rows) }),
  };
}

function selectForecasts({ series, steps, quantiles, naive2 }: Forecasts, rows: Int32Array): Forecasts {
  const width = quantiles?.levels.length ?? 0;
  const values = new Float64Array(rows.length * width);
  for (let i = 0; i < rows.length; i++)
    for (let k = 0; k < width; k++)
      values[i * width + k] = quantiles!.values[(rows[i] as number) * width + k] as number;
  return {
    series: Array.from(rows, (row) => series[row] as string),
    steps: Int32Array.from(rows, (row) => steps[row] as number),
    quantiles: quantiles === null ? null : { levels: quantiles.levels, values },
    ...(naive2 === undefined ? {} : { naive2: picked(naive2, rows) }),
  };
}

function picked(values: Float64Array, rows: Int32Array): Float64Array {
  const some = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) some[i] = values[rows[i] as number] as number;
  return some;
}
