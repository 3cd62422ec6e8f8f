/** A mean of the reference's labelled rows, weighed as if they were drawn where the live rows are. */
export type WeightedEstimate = {
  /** Σwℓ / Σw; null where it is refused. */
  value: number | null;
  /** √Σw²(ℓ - value)² / Σw. */
  sd: number;
  /** Kish's (Σw)²/Σw²: so many equal weights would be as exact. */
  effectiveRows: number;
  /** Why there is no value. */
  reason: string | null;
};

/** Fewer effective rows than this say nothing. */
const leastEffectiveRows = 100;

/**
 * Weights (n/m)·P(live|x)/P(reference|x) of n reference rows, from the probability that a classifier trained to tell n
 * reference from m live rows gives each row of being live (Bickel, Brückner and Scheffer, J. Mach. Learn. Res. 10,
 * 2009). The probabilities must be out of fold.
 *
 * @param liveProbability in [0, 1); 1 would say that no reference row can be there
 */
export function covariateShiftWeights(liveProbability: readonly number[], n: number, m: number): number[] {
  return liveProbability.map((p) => ((n / m) * p) / (1 - p));
}

/**
 * The live mean of a loss under covariate shift, from reference losses and weights: self-normalised importance sampling
 * (M. Sugiyama and others, J. Mach. Learn. Res. 8, 2007). Refused where the effective number of rows is below 100. It
 * assumes that answers depend on inputs as before (no concept drift) and that reference rows lie wherever live rows do.
 */
export function importanceWeighted(losses: readonly number[], weights: readonly number[]): WeightedEstimate {
  let sum = 0;
  let squares = 0;
  let weighted = 0;
  let usable = losses.length === weights.length && losses.length > 0;
  weights.forEach((weight, i) => {
    usable &&= weight >= 0 && Number.isFinite(weight) && Number.isFinite(losses[i]);
    sum += weight;
    squares += weight * weight;
    weighted += weight * (losses[i] ?? Number.NaN);
  });
  if (!usable || sum === 0) {
    const reason = "weights and losses must be finite, of the same number, and not all 0";
    return { value: null, sd: Number.NaN, effectiveRows: 0, reason };
  }
  const value = weighted / sum;
  let spread = 0;
  weights.forEach((weight, i) => (spread += (weight * ((losses[i] as number) - value)) ** 2));
  const sd = Math.sqrt(spread) / sum;
  const effectiveRows = (sum * sum) / squares;
  if (effectiveRows < leastEffectiveRows) {
    const reason = `${Math.floor(effectiveRows)} effective rows, fewer than ${leastEffectiveRows}: live inputs lie where the reference has too few`;
    return { value: null, sd, effectiveRows, reason };
  }
  return { value, sd, effectiveRows, reason: null };
}
