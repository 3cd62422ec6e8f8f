import type { Ends } from "./bca.ts";
import { studentQuantile } from "./student.ts";

/**
 * Quantile of the studentised statistic that belongs to the quantile q of Hall's transformed one: T with ((1 + 2aT)³ -
 * 1) / (6a) + a = q, where a is a sixth of the statistic's skewness (P. Hall, J. R. Statist. Soc. B 54, 1992).
 */
export function hallQuantile(q: number, skew: number): number {
  return Math.abs(skew) < 1e-8 ? q : (Math.cbrt(1 + 6 * skew * (q - skew)) - 1) / (2 * skew);
}

/**
 * The sample's skewness is smaller than the population's where that is large: seen values are bounded. The factor was
 * chosen by simulating means of 50 lognormal values (σ = 1). bench/results/calibration-clusters.md has the error rates.
 */
const unseenSkew = 1.5;

/** Below this a sixth of the skewness does not move an end by more than simulations can show. */
const noSkew = 0.01;

/** A statistic's estimate and what is known of its distribution. `skew` is a sixth of its skewness (BCa's a). */
export type SkewedEstimate = {
  estimate: number;
  standardError: number;
  df: number;
  skew: number;
  /** What the skewness seen is multiplied by; default: `unseenSkew`. */
  factor?: number;
};

/**
 * Whether skewness is large enough to matter, and more than noise: for units that weigh alike, 1 / units is 2.4 standard
 * errors of a sixth of it.
 */
export function isSkewed(skew: number, noise: number): boolean {
  return Math.abs(skew) > Math.max(noSkew, noise);
}

/**
 * An interval of which the end on the long side of a skewed distribution is no nearer than Hall's and no end is nearer
 * than t's. Only ever wider. Hall's short end is not used: heavy tails on both sides look skewed in a sample, and there
 * it errs.
 *
 * @param maxFactor largest factor by which the long side may exceed t's
 */
export function lengthenForSkew(
  ends: Ends,
  { estimate, standardError, df, skew, factor = unseenSkew }: SkewedEstimate,
  level: number,
  maxFactor = Infinity,
): Ends {
  const t = studentQuantile(0.5 + level / 2, df);
  const hall = Math.abs(hallQuantile(-t, factor * Math.abs(skew)));
  const long = Math.min(maxFactor * t, Math.max(t, hall)) * standardError;
  const short = t * standardError;
  return {
    low: Math.min(ends.low, estimate - (skew < 0 ? long : short)),
    high: Math.max(ends.high, estimate + (skew > 0 ? long : short)),
  };
}
