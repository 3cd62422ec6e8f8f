const cache = new Map<number, Float64Array>();

/**
 * P(W ≤ w) for w = 0 … n(n+1)/2, W being Wilcoxon's signed-rank statistic of n untied values that are symmetric about
 * 0. Exact, by counting subsets of the ranks; agrees with R's psignrank.
 */
export function signedRankCdf(n: number): Float64Array {
  const known = cache.get(n);
  if (known !== undefined) return known;
  const top = (n * (n + 1)) / 2;
  const chance = new Float64Array(top + 1);
  chance[0] = 1;
  for (let rank = 1; rank <= n; rank++) {
    for (let w = (rank * (rank + 1)) / 2; w >= 0; w--) {
      chance[w] = 0.5 * ((chance[w] as number) + (w >= rank ? (chance[w - rank] as number) : 0));
    }
  }
  for (let w = 1; w <= top; w++) chance[w] = Math.min(1, (chance[w] as number) + (chance[w - 1] as number));
  cache.set(n, chance);
  return chance;
}
