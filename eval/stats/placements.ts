import { rowBits, sortedPairs } from "./argsort.ts";

/**
 * Placement values of a binary sample: for a positive row, the weighted share of negatives below it; for a negative
 * row, the weighted share of positives above it. A tie counts one half. Their weighted mean over either class is the
 * AUROC. They are DeLong's structural components V10 and V01, and the same numbers as Sun and Xu's midrank differences
 * (IEEE Signal Process. Lett. 21, 2014), computed from the tie groups of one sort: O(n) after the O(n) radix sort.
 *
 * `positive[i]` ≠ 0 marks the positives; both classes must have positive total weight. Length n, in the order of the
 * rows.
 */
export function placements(
  scores: Float64Array,
  positive: ArrayLike<number>,
  weights: Float64Array | null,
): { placement: Float64Array; auroc: number } {
  const pairs = sortedPairs(scores, positive);
  return weights === null ? counted(scores, positive, pairs) : weighted(scores, positive, weights, pairs);
}

/** Without weights. Most rows share their score with no other; such a row is placed at once, without the tie step. */
function counted(
  scores: Float64Array,
  positive: ArrayLike<number>,
  pairs: Uint32Array,
): { placement: Float64Array; auroc: number } {
  const n = scores.length;
  const placement = new Float64Array(n);
  let positives = 0;
  for (let i = 0; i < n; i++) if (positive[i] !== 0) positives++;
  const negatives = n - positives;
  let positivesBelow = 0;
  let negativesBelow = 0;
  let area = 0;
  for (let start = 0; start < pairs.length;) {
    const row = pairs[start + 1] as number;
    const end = endOfTie(scores, pairs, start);
    if (end === start + 2) {
      if (row >>> 31 === 1) {
        placement[row & rowBits] = negativesBelow / negatives;
        area += negativesBelow;
        positivesBelow++;
      } else {
        placement[row] = 1 - positivesBelow / positives;
        negativesBelow++;
      }
      start = end;
      continue;
    }
    let tiedPositives = 0;
    for (let k = start; k < end; k += 2) tiedPositives += (pairs[k + 1] as number) >>> 31;
    const tiedNegatives = (end - start) / 2 - tiedPositives;
    const ofPositive = (negativesBelow + tiedNegatives / 2) / negatives;
    const ofNegative = 1 - (positivesBelow + tiedPositives / 2) / positives;
    for (let k = start; k < end; k += 2)
      placement[(pairs[k + 1] as number) & rowBits] = (pairs[k + 1] as number) >>> 31 === 1 ? ofPositive : ofNegative;
    area += tiedPositives * (negativesBelow + tiedNegatives / 2);
    positivesBelow += tiedPositives;
    negativesBelow += tiedNegatives;
    start = end;
  }
  return { placement, auroc: area / (positives * negatives) };
}

/** With weights: the tie step of `counted` again, on sums. It is apart so that the loop without weights looks none up. */
function weighted(
  scores: Float64Array,
  positive: ArrayLike<number>,
  weights: Float64Array,
  pairs: Uint32Array,
): { placement: Float64Array; auroc: number } {
  const placement = new Float64Array(scores.length);
  let positives = 0;
  let negatives = 0;
  for (let i = 0; i < weights.length; i++) {
    if (positive[i] !== 0) positives += weights[i] as number;
    else negatives += weights[i] as number;
  }
  let positivesBelow = 0;
  let negativesBelow = 0;
  let area = 0;
  for (let start = 0; start < pairs.length;) {
    const end = endOfTie(scores, pairs, start);
    let tiedPositives = 0;
    let tiedNegatives = 0;
    for (let k = start; k < end; k += 2) {
      const row = pairs[k + 1] as number;
      if (row >>> 31 === 1) tiedPositives += weights[row & rowBits] as number;
      else tiedNegatives += weights[row] as number;
    }
    const ofPositive = (negativesBelow + tiedNegatives / 2) / negatives;
    const ofNegative = 1 - (positivesBelow + tiedPositives / 2) / positives;
    for (let k = start; k < end; k += 2)
      placement[(pairs[k + 1] as number) & rowBits] = (pairs[k + 1] as number) >>> 31 === 1 ? ofPositive : ofNegative;
    area += tiedPositives * (negativesBelow + tiedNegatives / 2);
    positivesBelow += tiedPositives;
    negativesBelow += tiedNegatives;
    start = end;
  }
  return { placement, auroc: area / (positives * negatives) };
}

/** End of the pairs that have the same score as the pair at `start`. */
function endOfTie(scores: Float64Array, pairs: Uint32Array, start: number): number {
  const key = pairs[start];
  let end = start + 2;
  if (end < pairs.length && pairs[end] !== key) return end;
  const score = scores[(pairs[start + 1] as number) & rowBits];
  while (end < pairs.length && pairs[end] === key && scores[(pairs[end + 1] as number) & rowBits] === score) end += 2;
  return end;
}
