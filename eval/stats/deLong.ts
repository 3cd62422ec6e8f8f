import type { Ends } from "./bca.ts";
import { placements } from "./placements.ts";
import { studentQuantile } from "./student.ts";
import { unseenProbability } from "./rule-of-three.ts";
import { type Moments, weightedMoments } from "./uneven-moments.ts";

/** An AUROC and each row's contribution to its error. `influence` sums to 0 within each class. */
export type AurocComponents = { auroc: number; influence: Float64Array };

/**
 * AUROC of one binary sample with its DeLong components (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988) in
 * O(n) after one radix sort (the complexity of Sun and Xu, 2014). influence[i] = w_i (placement_i - AUROC) / W_class.
 */
export function aurocComponents(
  scores: Float64Array,
  positive: ArrayLike<number>,
  weights: Float64Array | null,
): AurocComponents {
  const { placement, auroc } = placements(scores, positive, weights);
  let positives = 0;
  let total = 0;
  for (let i = 0; i < scores.length; i++) {
    const w = weights === null ? 1 : (weights[i] as number);
    total += w;
    if (positive[i] !== 0) positives += w;
  }
  const perPositive = 1 / positives;
  const perNegative = 1 / (total - positives);
  if (weights === null)
    for (let i = 0; i < scores.length; i++)
      placement[i] = ((placement[i] as number) - auroc) * (positive[i] !== 0 ? perPositive : perNegative);
  else
    for (let i = 0; i < scores.length; i++)
      placement[i] =
        (weights[i] as number) * ((placement[i] as number) - auroc) * (positive[i] !== 0 ? perPositive : perNegative);
  return { auroc, influence: placement };
}

/**
 * Variance of a sum of independent contributions whose class sizes are fixed: Σ_c n_c/(n_c - 1) Σ φ², with Welch and
 * Satterthwaite's degrees of freedom, as Brunner and Munzel (2000) use them for one AUROC. For φ of one AUROC this is DeLong's variance; for the difference of two φ, that of the paired difference; for averages over
 * one-vs-rest AUROCs, that of the macro mean. `labels` are 0 … classCount - 1; a row of weight 0 does not count.
 */
export function stratifiedMoments(
  influence: Float64Array,
  labels: ArrayLike<number>,
  classCount: number,
  weights: Float64Array | null,
): Moments {
  const squares = new Float64Array(classCount);
  const counts = new Float64Array(classCount);
  for (let i = 0; i < influence.length; i++) {
    if (weights !== null && weights[i] === 0) continue;
    const label = labels[i] as number;
    const value = influence[i] as number;
    squares[label] = (squares[label] as number) + value * value;
    counts[label] = (counts[label] as number) + 1;
  }
  let variance = 0;
  let spread = 0;
  for (let c = 0; c < classCount; c++) {
    const count = counts[c] as number;
    if (count === 0) continue;
    const part = ((squares[c] as number) * count) / (count - 1);
    variance += part;
    if (part > 0) spread += (part * part) / (count - 1);
  }
  return { variance, df: spread > 0 ? (variance * variance) / spread : Number.POSITIVE_INFINITY };
}

/**
 * The same for rows of uneven weight: in each class the variance of `weightedMoments`, added up over the classes.
 */
export function weightedStratifiedMoments(
  influence: Float64Array,
  labels: ArrayLike<number>,
  classCount: number,
  weights: Float64Array,
): Moments {
  const parts = Array.from({ length: classCount }, (_, c) => {
    const rows = Int32Array.from(influence.keys()).filter((i) => labels[i] === c && weights[i] !== 0);
    const total = rows.reduce((sum, i) => sum + (weights[i] as number), 0);
    const shares = Float64Array.from(rows, (i) => (weights[i] as number) / total);
    const deviations = Float64Array.from(rows, (i, k) => -(influence[i] as number) / (1 - (shares[k] as number)));
    return weightedMoments(deviations, { shares, variances: shares.map((share) => share * share) });
  });
  return welch(parts);
}

/** The sum of independent variances, with Welch and Satterthwaite's degrees of freedom. */
function welch(parts: readonly Moments[]): Moments {
  let variance = 0;
  let spread = 0;
  for (const part of parts) {
    variance += part.variance;
    if (part.variance > 0) spread += part.variance ** 2 / part.df;
  }
  return { variance, df: spread > 0 ? (variance * variance) / spread : Number.POSITIVE_INFINITY };
}

/** estimate ± t_df · √variance, within [lowest, highest]. df = Infinity is pROC's interval. */
export function waldInterval(
  estimate: number,
  { variance, df }: Moments,
  level: number,
  lowest: number,
  highest: number,
): Ends {
  const half = studentQuantile(0.5 + level / 2, df) * Math.sqrt(variance);
  return { low: Math.max(lowest, estimate - half), high: Math.min(highest, estimate + half) };
}

/**
 * The same on the logit scale, for one AUROC strictly between 0 and 1 (Qin and Hotilovac, Stat. Methods Med. Res. 17,
 * 2008). The ends stay inside (0, 1).
 */
export function logitInterval(estimate: number, { variance, df }: Moments, level: number): Ends {
  const centre = Math.log(estimate / (1 - estimate));
  const half = (studentQuantile(0.5 + level / 2, df) * Math.sqrt(variance)) / (estimate * (1 - estimate));
  return { low: 1 / (1 + Math.exp(half - centre)), high: 1 / (1 + Math.exp(-half - centre)) };
}

/** A variance below this is rounding error, not data: there is no visible variation. */
export const noVariance = 1e-28;

/**
 * Interval for the case that every (positive, negative) pair gave the same kernel value, so that DeLong's variance is 0
 * (AUROC 1, or two models that order every pair alike). min(m, n) pairs can be formed that share no row. None of those
 * independent pairs deviated, so the share of pairs that may deviate is bounded as in `unseenProbability`. A deviating
 * pair is taken at its worst, `lowest` or `highest`. Conservative, and never of width 0.
 */
export function sameKernelInterval(
  estimate: number,
  disjointPairs: number,
  level: number,
  lowest: number,
  highest: number,
): Ends {
  const share = unseenProbability(disjointPairs, (1 - level) / 2);
  return { low: estimate + share * (lowest - estimate), high: estimate + share * (highest - estimate) };
}
