/**
 * The Ladder (Blum and Hardt, ICML 2015): shows a candidate's loss only where it is better than the best shown so far by
 * more than the step η, rounded to η; else the best again. Whoever only sees what is shown can do little more than
 * improve: the error of the best stays small over very many candidates.
 *
 * @param losses in the order of the candidates
 * @returns what is shown after each
 */
export function ladder(losses: readonly number[], step: number): number[] {
  if (!(step > 0)) throw new RangeError(`the step of a ladder must be above 0, got ${step}; for example 0.01`);
  let best = Number.POSITIVE_INFINITY;
  return losses.map((loss) => {
    if (loss < best - step) best = Math.round(loss / step) * step;
    return best;
  });
}

/**
 * The ladder without a parameter (the same, section 4): the step is the standard error of the paired difference to the
 * best shown, sd(ℓ - ℓ_best)/√n with divisor n - 1, and nothing is rounded.
 *
 * @param losses of each candidate, row by row on the same rows
 * @throws RangeError where candidates have different numbers of rows, or fewer than two
 */
export function ladderWithoutParameter(losses: readonly (readonly number[])[]): number[] {
  let best: readonly number[] | null = null;
  return losses.map((candidate) => {
    const n = candidate.length;
    if (n < 2 || (best !== null && best.length !== n))
      throw new RangeError(`candidates need losses of the same rows, two at least, got ${n}`);
    best = best === null || isBetter(candidate, best) ? candidate : best;
    return mean(best);
  });
}

function isBetter(candidate: readonly number[], best: readonly number[]): boolean {
  const n = candidate.length;
  const differences = candidate.map((loss, i) => loss - (best[i] as number));
  const gap = mean(differences);
  const variance = differences.reduce((sum, one) => sum + (one - gap) ** 2, 0) / (n - 1);
  return gap < -Math.sqrt(variance / n);
}

const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;
