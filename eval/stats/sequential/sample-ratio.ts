import { logGamma } from "../beta.ts";

/** Evidence at which the assignment is called broken and the experiment void. */
export const sampleRatioLimit = 1000;

/**
 * ln of the e-value against "units were assigned with these shares", anytime-valid: it ever reaches ln(1000) with
 * probability at most .001 (Lindon and Malek, NeurIPS 2022). A Dirichlet(k·shares) mixture of the multinomial: ln B(kp +
 * n) - ln B(kp) - Σ n_i ln p_i. Two arms or more.
 *
 * @param counts units seen in each arm, not requests: those of one unit are not independent
 * @param shares planned, each above 0; they add up to 1
 * @param concentration k: larger looks for smaller imbalances
 * @throws RangeError where shares do not fit the counts
 */
export function logSampleRatioEvidence(
  counts: readonly number[],
  shares: readonly number[],
  concentration = 1000,
): number {
  const sum = shares.reduce((all, one) => all + one, 0);
  if (counts.length !== shares.length || !shares.every((share) => share > 0) || Math.abs(sum - 1) > 1e-9)
    throw new RangeError(`shares above 0 that add up to 1 are expected, one per count; got ${shares.join(", ")}`);
  let evidence = 0;
  let units = 0;
  counts.forEach((count, i) => {
    const weight = concentration * (shares[i] as number);
    evidence += logGamma(weight + count) - logGamma(weight) - count * Math.log(shares[i] as number);
    units += count;
  });
  return evidence - logGamma(concentration + units) + logGamma(concentration);
}

/** Whether a roll-out's assignment is broken, so that nothing may be concluded from it. */
export function sampleRatioMismatch(counts: readonly number[], shares: readonly number[]): boolean {
  return logSampleRatioEvidence(counts, shares) >= Math.log(sampleRatioLimit);
}
