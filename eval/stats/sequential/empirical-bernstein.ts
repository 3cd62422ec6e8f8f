import type { Ends } from "../bca.ts";
import { expectUnit, noMoments, observeMoments, plugInBet, runningMean } from "./predictable-bets.ts";

/**
 * Predictable plug-in empirical-Bernstein interval of the mean of values in [0, 1], anytime-valid at level 1 - α
 * (Waudby-Smith and Ramdas, J. R. Stat. Soc. B 86, 2024, theorem 2): ΣλX/Σλ ± (ln(2/α) + Σ(X_i - μ̂_{i-1})²ψ(λ_i))/Σλ,
 * ψ(λ) = -ln(1 - λ) - λ, bets truncated at ½. In closed form and one pass, but wider than ./betting-interval.ts. Not
 * clamped to [0, 1].
 *
 * @returns ±Infinity for no values
 * @throws RangeError where a value is not in [0, 1]
 */
export function empiricalBernstein(values: ArrayLike<number>, alpha: number): Ends {
  const moments = noMoments();
  let bets = 0;
  let weighted = 0;
  let penalty = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    expectUnit(value, `value ${i}`);
    const lambda = Math.min(plugInBet(moments, alpha / 2), 0.5);
    bets += lambda;
    weighted += lambda * value;
    penalty += (value - runningMean(moments)) ** 2 * (-Math.log1p(-lambda) - lambda);
    observeMoments(moments, value);
  }
  if (bets === 0) return { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const half = (Math.log(2 / alpha) + penalty) / bets;
  return { low: weighted / bets - half, high: weighted / bets + half };
}
