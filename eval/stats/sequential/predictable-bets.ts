/**
 * What predictable bets know of the past: running counts of values in [0, 1]. It is plain data, so that it can be
 * stored, handed to another process and taken up again.
 */
export type Moments = { count: number; sum: number; squares: number };

export const noMoments = (): Moments => ({ count: 0, sum: 0, squares: 0 });

/** μ̂_t = (½ + ΣX)/(t + 1): the mean with half an observation at ½. */
export const runningMean = ({ count, sum }: Moments): number => (0.5 + sum) / (count + 1);

/** σ̂²_t = (¼ + Σ(X_i - μ̂_i)²)/(t + 1), ¼ at the start. */
const runningVariance = ({ count, squares }: Moments): number => (0.25 + squares) / (count + 1);

/** Takes the next value in. Changes `moments`. */
export function observeMoments(moments: Moments, value: number): void {
  moments.count++;
  moments.sum += value;
  moments.squares += (value - runningMean(moments)) ** 2;
}

/**
 * The predictable plug-in bet of the next observation, before truncation: √(2 ln(1/a) / (σ̂²_{t-1} t ln(1 + t))), t
 * counting from 1 (Waudby-Smith and Ramdas, J. R. Stat. Soc. B 86, 2024, eq. 15).
 *
 * @param errorRate a: α/2 for an interval, α for a one-sided decision
 */
export function plugInBet(before: Moments, errorRate: number): number {
  const t = before.count + 1;
  return Math.sqrt((2 * Math.log(1 / errorRate)) / (runningVariance(before) * t * Math.log1p(t)));
}

/** @throws RangeError where a value is not in [0, 1] */
export function expectUnit(value: number, what = "a bounded value"): void {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${what} must be in [0, 1], got ${value}`);
}
