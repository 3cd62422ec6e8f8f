/**
 * P(K > t) for Kolmogorov's limiting distribution of √(nm/(n+m))·D: 2 Σ (-1)^(j-1) exp(-2j²t²) (N. V. Smirnov, Ann.
 * Math. Stat. 19, 1948). Below t = 1 the theta-function form of the same series is used, which converges there.
 */
export function kolmogorovUpperTail(t: number): number {
  if (Number.isNaN(t)) return Number.NaN;
  if (t <= 0) return 1;
  if (t < 1) {
    let lower = 0;
    for (let j = 1; j <= 20; j++) lower += Math.exp((-((2 * j - 1) ** 2) * Math.PI ** 2) / (8 * t * t));
    return Math.min(1, Math.max(0, 1 - (Math.sqrt(2 * Math.PI) / t) * lower));
  }
  let upper = 0;
  for (let j = 1; j <= 20; j++) upper += (j % 2 === 1 ? 2 : -2) * Math.exp(-2 * j * j * t * t);
  return Math.min(1, Math.max(0, upper));
}
