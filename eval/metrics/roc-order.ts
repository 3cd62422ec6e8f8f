import { argsort } from "../stats/argsort.ts";
import type { Sample } from "./definition.ts";
import { classCounts } from "./sample.ts";

/**
 * One distinct score that a positive row has: the counts above it, and the counts including it. Return true to stop.
 */
type RocStep = (
  positivesAbove: number,
  negativesAbove: number,
  positives: number,
  negatives: number,
  score: number,
) => boolean;

/**
 * A binary sample from the highest score to the lowest. `sweep` walks the ROC curve for given row weights and calls
 * `step` at every distinct score where the curve rises. Between two calls it is flat.
 */
export type RocOrder = {
  positives: number;
  negatives: number;
  sweep(weights: Float64Array, step: RocStep): void;
  totals(weights: Float64Array): { positives: number; negatives: number };
};

/** Sorts once; each sweep is then O(n). Returns a message when a class is missing. */
export function rocOrder(sample: Sample): RocOrder | string {
  if (sample.classCount !== 2) return "this metric is for two classes";
  const [negatives = 0, positives = 0] = classCounts(sample);
  if (positives === 0 || negatives === 0) return `there are no ${positives === 0 ? "positive" : "negative"} rows`;
  const { labels, scores } = sample;
  const order = argsort(scores).toReversed();
  const n = order.length;
  const positive = new Uint8Array(n);
  const lastOfTie = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    positive[i] = labels[order[i] as number] as number;
    lastOfTie[i] = i === n - 1 || scores[order[i] as number] !== scores[order[i + 1] as number] ? 1 : 0;
  }
  // Weights are looked up in an order that looks random to the memory. Those of a resample are small whole numbers; as
  // bytes they fit into a cache. That pays where a sweep goes far.
  const asBytes = new Uint8Array(n);
  let farthest = n;
  const compact = (weights: Float64Array): Float64Array | Uint8Array => {
    if (n < 50_000 || farthest < n / 4) return weights;
    for (let i = 0; i < n; i++) {
      asBytes[i] = weights[i] as number;
      if (asBytes[i] !== weights[i]) return weights;
    }
    return asBytes;
  };
  return {
    positives,
    negatives,
    sweep(rowWeights, step) {
      const weights = compact(rowWeights);
      let hits = 0;
      let alarms = 0;
      let hitsAbove = 0;
      let alarmsAbove = 0;
      for (let i = 0; i < n; i++) {
        const w = weights[order[i] as number] as number;
        if (positive[i] === 1) hits += w;
        else alarms += w;
        if (lastOfTie[i] === 0) continue;
        if (hits > hitsAbove && step(hitsAbove, alarmsAbove, hits, alarms, scores[order[i] as number] as number)) {
          farthest = i;
          return;
        }
        hitsAbove = hits;
        alarmsAbove = alarms;
      }
      farthest = n;
    },
    totals(weights) {
      let hits = 0;
      let total = 0;
      for (let i = 0; i < n; i++) {
        const w = weights[i] as number;
        total += w;
        hits += w * (labels[i] as number);
      }
      return { positives: hits, negatives: total - hits };
    },
  };
}
