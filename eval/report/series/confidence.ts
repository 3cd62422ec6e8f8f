import type { Predictions } from "../../predictions/predictions.ts";

/** Top-1 confidence of a multiclass head and whether it was right, one value per row. */
export type Confidence = { confidence: Float64Array; correct: Float64Array };

/** The largest probability of each row (the first of equals), and 1 where its class is the label. */
export function topConfidence(predictions: Predictions): Confidence {
  const classes = predictions.classes.length;
  const confidence = new Float64Array(predictions.labels.length);
  const correct = new Float64Array(predictions.labels.length);
  for (const [row, label] of predictions.labels.entries()) {
    let best = 0;
    for (let k = 1; k < classes; k += 1)
      if ((predictions.scores[row * classes + k] ?? 0) > (predictions.scores[row * classes + best] ?? 0)) best = k;
    confidence[row] = predictions.scores[row * classes + best] ?? Number.NaN;
    correct[row] = best === label ? 1 : 0;
  }
  return { confidence, correct };
}
