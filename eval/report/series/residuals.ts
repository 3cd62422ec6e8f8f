import { sampleRows } from "./sample.ts";

/** Points of a regression head. residual = label - prediction, so above zero the prediction was too low. */
export type ResidualPoints = { prediction: number[]; label: number[]; residual: number[]; rows: number };

/**
 * at most `maxRows` rows, with the largest residuals among them (see `sampleRows`). `rows` counts all with a finite
 * residual.
 */
export function residualPoints(labels: Float64Array, scores: Float64Array, maxRows = 1500): ResidualPoints {
  const residuals = labels.map((label, i) => label - (scores[i] ?? Number.NaN));
  const shown = sampleRows(residuals, maxRows);
  return {
    prediction: shown.map((i) => scores[i] ?? 0),
    label: shown.map((i) => labels[i] ?? 0),
    residual: shown.map((i) => residuals[i] ?? 0),
    rows: residuals.reduce((n, residual) => n + (Number.isFinite(residual) ? 1 : 0), 0),
  };
}
