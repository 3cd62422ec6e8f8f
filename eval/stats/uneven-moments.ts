import { residualMoments, type UnitSpread } from "./satterthwaite.ts";

/** An estimated variance and how well it is known. */
export type Moments = {
  variance: number;
  /** Degrees of freedom. */
  df: number;
};

/**
 * Variance of a statistic from its delete-one-unit deviations d_g = value without unit g - value: Σd² times the factor
 * that makes it unbiased under the working model, with Satterthwaite's degrees of freedom. For equal units it is the
 * jackknife with G - 1 degrees; for means over clusters the cluster-robust variance CR3 without its bias. It sees units
 * that vary differently, but rests on the few heavy ones. NaN when one unit has all the weight. O(units).
 */
export function robustMoments(deviations: Float64Array, spread: UnitSpread): Moments {
  const { variance, expected, df } = residualMoments(spread, deletion);
  let squares = 0;
  let trace = 0;
  for (let g = 0; g < deviations.length; g++) {
    squares += (deviations[g] as number) ** 2;
    trace += expected[g] as number;
  }
  return { variance: (variance * squares) / trace, df };
}

/**
 * The variance from every unit's d² relative to its working variance, averaged. It rests on all units alike, so it still
 * sees the variance when the few heavy units happen to agree, but trusts the working model. Units without weight do not
 * count.
 */
export function pooledMoments(deviations: Float64Array, spread: UnitSpread): Moments {
  const { variance, expected } = residualMoments(spread, deletion);
  let relative = 0;
  let relativeExpected = 0;
  let count = 0;
  for (let g = 0; g < deviations.length; g++) {
    const v = spread.variances[g] as number;
    if (v === 0) continue;
    relative += (deviations[g] as number) ** 2 / v;
    relativeExpected += (expected[g] as number) / v;
    count++;
  }
  return { variance: (variance * relative) / relativeExpected, df: count - 1 };
}

/** Leaving a unit out changes a mean by its residual over the share that is left. */
const deletion = (share: number): number => 1 / (1 - share);

/**
 * For rows of uneven weight: the larger of both variances, with the pooled degrees of freedom. Satterthwaite's would be
 * wider. bench/results/calibration-clusters.md has the measured error rates.
 */
export function weightedMoments(deviations: Float64Array, spread: UnitSpread): Moments {
  const robust = robustMoments(deviations, spread);
  const pooled = pooledMoments(deviations, spread);
  return { variance: Math.max(robust.variance, pooled.variance), df: pooled.df };
}

/**
 * For clusters: the larger of the robust variances for independent rows and for rows that say all the same, with the
 * degrees of freedom of independent rows. bench/results/calibration-clusters.md has the measured error rates.
 */
export function clusterMoments(deviations: Float64Array, independent: UnitSpread, identical: UnitSpread): Moments {
  const one = robustMoments(deviations, independent);
  const other = robustMoments(deviations, identical);
  return { variance: Math.max(one.variance, other.variance), df: one.df };
}
