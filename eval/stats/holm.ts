/**
 * Holm's step-down adjusted p-values (S. Holm, Scand. J. Statist. 6, 1979), in the order given. Rejecting where the
 * adjusted value is ≤ α keeps the probability of any false rejection at most α, whatever the dependence between the
 * tests. NaN stays NaN, but counts as a test.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues
    .map((_, i) => i)
    .sort((a, b) => {
      const left = pValues[a] as number;
      const right = pValues[b] as number;
      return Number.isNaN(left) ? (Number.isNaN(right) ? a - b : 1) : Number.isNaN(right) ? -1 : left - right || a - b;
    });
  const adjusted = Array.from(pValues, () => Number.NaN);
  let largest = 0;
  order.forEach((index, rank) => {
    const p = pValues[index] as number;
    if (Number.isNaN(p)) return;
    largest = Math.max(largest, Math.min(1, p * (pValues.length - rank)));
    adjusted[index] = largest;
  });
  return adjusted;
}
