/** One bin of a reliability diagram: the mean predicted probability, and how often it came true. */
export type ReliabilityBin = { low: number; high: number; n: number; meanPredicted: number; observedRate: number };

/**
 * Equal-width bins over [0, 1], the last one closed; empty bins are left out. A value on a border belongs to the bin
 * above it. Unweighted.
 *
 * @param probabilities predicted probability, one per row; values outside [0, 1] are left out
 * @param outcomes 1 where it came true, else 0
 */
export function reliabilityBins(probabilities: Float64Array, outcomes: Float64Array, bins = 10): ReliabilityBin[] {
  const n = new Float64Array(bins);
  const predicted = new Float64Array(bins);
  const observed = new Float64Array(bins);
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i] as number;
    if (!(p >= 0 && p <= 1)) continue;
    const bin = Math.min(bins - 1, Math.floor(p * bins));
    n[bin] = (n[bin] ?? 0) + 1;
    predicted[bin] = (predicted[bin] ?? 0) + p;
    observed[bin] = (observed[bin] ?? 0) + (outcomes[i] ?? 0);
  }
  return Array.from(n, (count, bin) => ({
    low: bin / bins,
    high: (bin + 1) / bins,
    n: count,
    meanPredicted: (predicted[bin] ?? 0) / count,
    observedRate: (observed[bin] ?? 0) / count,
  })).filter((bin) => bin.n > 0);
}
