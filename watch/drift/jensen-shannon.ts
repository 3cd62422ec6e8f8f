import { chiSquareTails } from "../../eval/stats/chi-square.ts";
import { type AlignedCounts, type DriftEstimate, occupied, total } from "./distributions.ts";
import { driftNoncentrality } from "./noncentral-interval.ts";
import type { DesignEffects } from "./psi.ts";

/**
 * Jensen-Shannon distance √(½ KL(p‖h) + ½ KL(q‖h)), h = (p + q)/2, with logarithms of base 2: 0 for equal shares, 1 for
 * disjoint ones (J. Lin, IEEE Trans. Inf. Theory 37, 1991; Endres and Schindelin, 49, 2003). It is the distance, not the
 * divergence, as SciPy's `jensenshannon(base=2)` and NannyML have it; with natural logarithms it would end at .833. No
 * row is added: an empty bin is no trouble here. NaN where a side is empty.
 */
export function jensenShannon({ reference, live }: AlignedCounts): number {
  const n = total(reference);
  const m = total(live);
  if (!(n > 0 && m > 0)) return Number.NaN;
  let divergence = 0;
  for (let i = 0; i < reference.length; i++) {
    const p = (reference[i] as number) / n;
    const q = (live[i] as number) / m;
    const h = (p + q) / 2;
    if (p > 0) divergence += (p / 2) * Math.log2(p / h);
    if (q > 0) divergence += (q / 2) * Math.log2(q / h);
  }
  return Math.sqrt(Math.min(1, Math.max(0, divergence)));
}

/**
 * The distance with its interval: for shares that are not far apart the divergence in nats is Σ(q - p)²/8h, so that 8
 * times it over (1/n + 1/m) is about noncentral χ² with B - 1 degrees of freedom, whose noncentrality is inverted. Bins
 * empty on both sides are left out. A design effect divides its side's rows.
 */
export function jensenShannonEstimate(
  counts: AlignedCounts,
  level: number,
  effects: DesignEffects = {},
): DriftEstimate {
  const kept = occupied(counts);
  const n = total(kept.reference);
  const m = total(kept.live);
  const value = jensenShannon(kept);
  if (Number.isNaN(value)) return { value, interval: null, pValue: Number.NaN, n, m };
  const df = kept.reference.length - 1;
  if (df === 0) return { value: 0, interval: { low: 0, high: 0, level, method: "one bin" }, pValue: 1, n, m };
  const rows = [n / (effects.reference ?? 1), m / (effects.live ?? 1)] as const;
  const scale = (1 / rows[0] + 1 / rows[1]) / (8 * Math.LN2);
  const { low, high } = driftNoncentrality(value ** 2 / scale, df + 1, rows, level);
  const distance = (noncentrality: number): number => Math.sqrt(Math.min(1, noncentrality * scale));
  return {
    value,
    interval: { low: distance(low), high: distance(high), level, method: "noncentral chi-square" },
    pValue: chiSquareTails(value ** 2 / scale, df).upper,
    n,
    m,
  };
}
