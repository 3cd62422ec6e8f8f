/** How the weight of a statistic is spread over its units (rows, or clusters of rows). */
export type UnitSpread = {
  /** Share of the weight that each unit has. They add up to 1. */
  shares: Float64Array;
  /** Variance of each unit's contribution under a working model, in any common scale. */
  variances: Float64Array;
};

/** What a sum of squared residuals estimates under the working model. */
export type ResidualMoments = {
  /** True variance of the statistic, Σ variances. */
  variance: number;
  /** Expectation of each scaled squared residual. */
  expected: Float64Array;
  /** Satterthwaite's degrees of freedom of the sum of the scaled squared residuals. */
  df: number;
};

/**
 * Moments of Σ s_g² e_g², where e_g = z_g - p_g Σz is the residual of unit g, p_g its share and z_g a contribution of
 * variance v_g. Working covariance of the residuals: δ_gh v_g - p_h v_g - p_g v_h + p_g p_h Σv. With it the expectation
 * is the trace, and the degrees of freedom are trace² / trace of the square (Satterthwaite, Biometrics Bulletin 2,
 * 1946; for cluster-robust variances Bell and McCaffrey, Survey Methodology 28, 2002). Equal units give G - 1. O(G).
 *
 * @param scale s_g as a function of the unit's share
 */
export function residualMoments({ shares, variances }: UnitSpread, scale: (share: number) => number): ResidualMoments {
  let variance = 0;
  for (const one of variances) variance += one;
  const expected = new Float64Array(shares.length);
  let trace = 0;
  let diagonal = 0;
  let vv = 0;
  let pv = 0;
  let pp = 0;
  for (let g = 0; g < shares.length; g++) {
    const p = shares[g] as number;
    const v = variances[g] as number;
    const square = scale(p) ** 2;
    const rest = p * p * variance - 2 * p * v;
    expected[g] = square * (v + rest);
    trace += expected[g] as number;
    diagonal += square * square * (v * v + 2 * v * rest);
    vv += square * v * v;
    pv += square * p * v;
    pp += square * p * p;
  }
  const ofSquare = 2 * vv * pp + 2 * pv * pv + variance * variance * pp * pp - 4 * variance * pv * pp + diagonal;
  return { variance, expected, df: (trace * trace) / ofSquare };
}

/** Kish's effective number of units, 1 / Σ share² (Survey Sampling, 1965): so many equal units weigh as evenly. */
export function effectiveUnits(shares: Float64Array): number {
  let squares = 0;
  for (const share of shares) squares += share * share;
  return 1 / squares;
}
