import { chiSquareQuantile, chiSquareTails } from "../../eval/stats/chi-square.ts";
import { type AlignedCounts, type DriftEstimate, occupied, total } from "./distributions.ts";
import { driftNoncentrality } from "./noncentral-interval.ts";

/**
 * How many times more the counts vary than independent rows would (./design-effect.ts). 1 where rows are independent.
 */
export type DesignEffects = { reference?: number; live?: number };

/**
 * Population stability index Σ(q - p) ln(q/p) of two lists of counts on the same bins, p the reference and q the live
 * shares. Half a row is added to every bin on both sides, (c + ½)/(n + B/2), so that an empty bin gives no infinity; a
 * floor of 1e-4 would nearly double the 95 % point of small windows. NaN where a side is empty.
 */
export function psi({ reference, live }: AlignedCounts): number {
  const n = total(reference);
  const m = total(live);
  if (!(n > 0 && m > 0)) return Number.NaN;
  const bins = reference.length;
  let sum = 0;
  for (let i = 0; i < bins; i++) {
    const p = ((reference[i] as number) + 0.5) / (n + bins / 2);
    const q = ((live[i] as number) + 0.5) / (m + bins / 2);
    sum += (q - p) * Math.log(q / p);
  }
  return sum;
}

/**
 * PSI with its interval. Without drift PSI/(1/n + 1/m) is about χ² with B - 1 degrees of freedom (Yurdakul and Naranjo,
 * Journal of Risk Model Validation 14, 2020); with drift about noncentral χ², whose noncentrality is inverted. Bins that
 * are empty on both sides are left out of B. A design effect divides its side's rows.
 *
 * The edges must be the reference's, not taken from the live values: an interval for edges that moved with the data says
 * nothing.
 *
 * @param level two-sided, so that each end errs with (1 - level)/2
 */
export function psiEstimate(counts: AlignedCounts, level: number, effects: DesignEffects = {}): DriftEstimate {
  const kept = occupied(counts);
  const n = total(kept.reference);
  const m = total(kept.live);
  const value = psi(kept);
  if (Number.isNaN(value)) return { value, interval: null, pValue: Number.NaN, n, m };
  const df = kept.reference.length - 1;
  const rows = [n / (effects.reference ?? 1), m / (effects.live ?? 1)] as const;
  const scale = 1 / rows[0] + 1 / rows[1];
  const method = "noncentral chi-square";
  // One bin holds everything on both sides: no drift can be seen there, and none is.
  if (df === 0) return { value: 0, interval: { low: 0, high: 0, level, method: "one bin" }, pValue: 1, n, m };
  const { low, high } = driftNoncentrality(value / scale, df + 1, rows, level);
  return {
    value,
    interval: { low: low * scale, high: high * scale, level, method },
    pValue: chiSquareTails(value / scale, df).upper,
    n,
    m,
  };
}

/** Mean and 1 - α quantile of PSI without drift, for n and m independent rows on B bins. */
export function psiWithoutDrift(n: number, m: number, bins: number, alpha: number): { mean: number; high: number } {
  const scale = 1 / n + 1 / m;
  return { mean: (bins - 1) * scale, high: scale * chiSquareQuantile(1 - alpha, bins - 1) };
}
