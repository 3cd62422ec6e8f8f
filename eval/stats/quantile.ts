import { normalCdf, normalQuantile } from "./normal.ts";

/**
 * The p-quantile of values in ascending order, interpolated linearly between order statistics (type 7 of Hyndman and
 * Fan, Am. Stat. 50, 1996; the default of R and NumPy). NaN for no values.
 */
export function quantileOfSorted(sorted: ArrayLike<number>, p: number): number {
  const at = (sorted.length - 1) * p;
  const below = Math.floor(at);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN;
  return low + (high - low) * (at - below);
}

/** The same for values in any order. They are copied, not sorted in place. */
export function quantile(values: ArrayLike<number>, p: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), p);
}

/**
 * Quantile p of a bootstrap distribution: order statistic (R + 1)p, interpolated on the normal scale between neighbours
 * (Davison and Hinkley, Bootstrap Methods, 1997, eq. 5.8; norm.inter of R's boot). Beyond the ends, the extremes.
 */
export function bootstrapQuantile(sorted: ArrayLike<number>, p: number): number {
  const count = sorted.length;
  const at = (count + 1) * p;
  const k = Math.floor(at);
  if (k < 1) return sorted[0] as number;
  if (k >= count) return sorted[count - 1] as number;
  const low = sorted[k - 1] as number;
  if (at === k) return low;
  const left = normalQuantile(k / (count + 1));
  const right = normalQuantile((k + 1) / (count + 1));
  return low + ((normalQuantile(p) - left) / (right - left)) * ((sorted[k] as number) - low);
}

/**
 * Share of a bootstrap distribution below the estimate (ties count one half), on the normal scale: BCa's bias
 * correction z0.
 */
export function biasCorrection(replicates: ArrayLike<number>, estimate: number): number {
  let below = 0;
  for (let i = 0; i < replicates.length; i++) {
    const value = replicates[i] as number;
    if (value < estimate) below++;
    else if (value === estimate) below += 0.5;
  }
  const share = Math.min(Math.max(below, 0.5), replicates.length - 0.5) / replicates.length;
  return normalQuantile(share);
}

/** The level that BCa uses instead of p: Φ(z0 + (z0 + z_p) / (1 - a(z0 + z_p))), Efron (1987). */
export function adjustedLevel(p: number, bias: number, acceleration: number): number {
  const w = bias + normalQuantile(p);
  const scale = 1 - acceleration * w;
  // Past the pole the formula reverses. The limit there is the end of the distribution.
  if (scale <= 0) return w > 0 ? 1 : 0;
  return normalCdf(bias + w / scale);
}
