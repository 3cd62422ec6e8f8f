/** Counts of one arm of yes/no outcomes. */
export type Arm = { successes: number; rows: number };

/**
 * Likelihood ratio of the mixture sequential probability ratio test of a difference of two means (Johari, Pekelis and
 * Walsh, Oper. Res. 70, 2022; first in 2015): √(V/(V + τ²)) exp(τ²(Δ - θ₀)²/(2V(V + τ²))).
 *
 * @param variance V of the difference of the means
 * @param effect τ, the standard deviation of the effects one expects; the test is most powerful near it
 * @returns 1 where V is 0: without variation the normal approximation says nothing
 */
export function mixtureLikelihoodRatio(
  difference: number,
  variance: number,
  effect: number,
  nullDifference = 0,
): number {
  if (!(variance > 0)) return 1;
  const tau2 = effect * effect;
  const gap = difference - nullDifference;
  return Math.sqrt(variance / (variance + tau2)) * Math.exp((tau2 * gap * gap) / (2 * variance * (variance + tau2)));
}

/**
 * The always-valid p-value after another look: the smallest 1/Λ so far. Variances are estimated, so it holds only
 * asymptotically; a decision that counts is made by ./canary-decision.ts.
 *
 * @param before the p-value of the last look, 1 at the first
 */
export function alwaysValidP(
  a: Arm,
  b: Arm,
  effect: number,
  before = 1,
): { pValue: number; difference: number; ratio: number } {
  if (a.rows === 0 || b.rows === 0) return { pValue: before, difference: Number.NaN, ratio: 1 };
  const [p, q] = [a.successes / a.rows, b.successes / b.rows];
  const variance = (p * (1 - p)) / a.rows + (q * (1 - q)) / b.rows;
  const ratio = mixtureLikelihoodRatio(q - p, variance, effect);
  return { pValue: Math.min(before, 1 / ratio), difference: q - p, ratio };
}
