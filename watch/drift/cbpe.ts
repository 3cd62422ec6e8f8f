import { placements } from "../../eval/stats/placements.ts";

/** What a binary classifier is expected to reach on rows whose labels are not known yet. */
export type ExpectedPerformance = {
  accuracy: number;
  /** Standard deviation of the realised accuracy around it, were the labels drawn with these probabilities. */
  accuracySd: number;
  /** Expected counts; they add up to the rows. */
  tp: number;
  fp: number;
  fn: number;
  tn: number;
  /** NaN where nothing is predicted positive. */
  precision: number;
  /** NaN where nothing is expected to be positive. */
  recall: number;
  f1: number;
  /** NaN where only one class is expected. */
  auroc: number;
  rows: number;
};

/**
 * Confidence-based performance estimation: metrics without labels, from calibrated probabilities p of the positive class
 * (NannyML's CBPE; Garg and others, ICLR 2022, for the idea). ŷ = 1 where p ≥ threshold. A row predicted positive is
 * right with probability p, another with 1 - p; AUROC has each row twice, as a positive of weight p and as a negative of
 * weight 1 - p. The sd is √Σr(1 - r)/n, r the probability of being right.
 *
 * It follows from calibration alone, so ./cbpe-assumptions.ts has to hold. A concept that drifts leaves it unmoved.
 *
 * @param weights rows that each probability stands for, as from a histogram of scores with the mean of each bin; null is
 *   1 each. Within a bin the sd comes out too large rather than too small
 * @throws RangeError where a probability lies outside [0, 1]
 */
export function expectedPerformance(
  probabilities: readonly number[],
  threshold = 0.5,
  weights: readonly number[] | null = null,
): ExpectedPerformance {
  let tp = 0;
  let fp = 0;
  let fn = 0;
  let tn = 0;
  let variance = 0;
  probabilities.forEach((p, i) => {
    if (!(p >= 0 && p <= 1)) throw new RangeError(`row ${i}: a probability is expected, from 0 to 1, got ${p}`);
    const weight = weights?.[i] ?? 1;
    variance += weight * p * (1 - p);
    if (p >= threshold) {
      tp += weight * p;
      fp += weight * (1 - p);
    } else {
      fn += weight * p;
      tn += weight * (1 - p);
    }
  });
  const rows = tp + fp + fn + tn;
  const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : Number.NaN);
  return {
    accuracy: ratio(tp + tn, rows),
    accuracySd: ratio(Math.sqrt(variance), rows),
    tp,
    fp,
    fn,
    tn,
    precision: ratio(tp, tp + fp),
    recall: ratio(tp, tp + fn),
    f1: ratio(2 * tp, 2 * tp + fp + fn),
    auroc: expectedAuroc(probabilities, weights),
    rows,
  };
}

function expectedAuroc(probabilities: readonly number[], weights: readonly number[] | null): number {
  const n = probabilities.length;
  const scores = new Float64Array(2 * n);
  const positive = new Uint8Array(2 * n);
  const mass = new Float64Array(2 * n);
  let positives = 0;
  let negatives = 0;
  probabilities.forEach((p, i) => {
    const weight = weights?.[i] ?? 1;
    scores[2 * i] = scores[2 * i + 1] = p;
    positive[2 * i] = 1;
    positives += mass[2 * i] = weight * p;
    negatives += mass[2 * i + 1] = weight * (1 - p);
  });
  return positives > 0 && negatives > 0 ? placements(scores, positive, mass).auroc : Number.NaN;
}
