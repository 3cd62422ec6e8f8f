import { sortWithKeys } from "./argsort.ts";

/**
 * Placement values of a binary sample: for a positive row the weighted share of negatives below it, for a negative
 * row the weighted share of positives above it; a tie counts one half. Their weighted mean over either class is the AUROC.
 * These are DeLong's structural components V10 and V01, and the same numbers as Sun and Xu's midrank differences
 * (IEEE Signal Process. Lett. 21, 2014), read off the tie groups of one sort: O(n) after the O(n) radix sort.
 *
 * `positive[i]` ≠ 0 marks the positives; both classes must have positive total weight. Length n, order kept.
 */
export function placements(scores: Float64Array, positive: ArrayLike<number>, weights: Float64Array | null): { placement: Float64Array; auroc: number } {
  const n = scores.length;
  const { order, keys } = sortWithKeys(scores);
  const placement = new Float64Array(n);
  // One byte per row stays in the cache while the order jumps about.
  const isPositive = new Uint8Array(n);
  let positives = 0;
  let negatives = 0;
  for (let i = 0; i < n; i++) {
    const w = weights === null ? 1 : (weights[i] as number);
    if (positive[i] !== 0) {
      isPositive[i] = 1;
      positives += w;
    } else negatives += w;
  }
  let positivesBelow = 0;
  let negativesBelow = 0;
  let area = 0;
  for (let start = 0; start < n; ) {
    const first = order[start] as number;
    const key = keys[start] as number;
    let tiedPositives = 0;
    let tiedNegatives = 0;
    let end = start;
    for (; end < n; end++) {
      const row = order[end] as number;
      if (end > start && (keys[end] !== key || scores[row] !== scores[first])) break;
      const w = weights === null ? 1 : (weights[row] as number);
      if (isPositive[row] === 1) tiedPositives += w;
      else tiedNegatives += w;
    }
    const ofPositive = (negativesBelow + tiedNegatives / 2) / negatives;
    const ofNegative = 1 - (positivesBelow + tiedPositives / 2) / positives;
    for (let k = start; k < end; k++) {
      const row = order[k] as number;
      placement[row] = isPositive[row] === 1 ? ofPositive : ofNegative;
    }
    area += tiedPositives * (negativesBelow + tiedNegatives / 2);
    positivesBelow += tiedPositives;
    negativesBelow += tiedNegatives;
    start = end;
  }
  return { placement, auroc: area / (positives * negatives) };
}
