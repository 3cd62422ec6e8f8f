import { total } from "./distributions.ts";

/**
 * How many times more the shares of a window vary between its blocks (days) than rows drawn independently would: X² of
 * homogeneity of blocks × bins over its degrees of freedom, at least 1 (the first-order correction of Rao and Scott, J.
 * Am. Stat. Assoc. 76, 1981, applied to clusters in time). Rows of one day resemble each other, and a window of few days
 * then weighs as m / effect independent rows. Blocks must be as long as the pattern that repeats within them: days for
 * daily cycles. A weekly cycle between days raises the effect; that errs on the wide side.
 *
 * @param blocks counts of each block on the same bins; empty blocks are left out
 * @returns null with fewer than two blocks that have rows, or fewer than two bins that do
 */
export function designEffect(blocks: readonly (readonly number[])[]): number | null {
  const filled = blocks.filter((counts) => total(counts) > 0);
  const bins = filled[0]?.length ?? 0;
  const sums = Array.from({ length: bins }, (_, bin) => total(filled.map((counts) => counts[bin] ?? 0)));
  const rows = total(sums);
  const used = sums.filter((sum) => sum > 0).length;
  if (filled.length < 2 || used < 2) return null;
  let chiSquare = 0;
  for (const counts of filled) {
    const size = total(counts);
    sums.forEach((sum, bin) => {
      if (sum === 0) return;
      const expected = (sum * size) / rows;
      chiSquare += ((counts[bin] ?? 0) - expected) ** 2 / expected;
    });
  }
  return Math.max(1, chiSquare / ((filled.length - 1) * (used - 1)));
}
