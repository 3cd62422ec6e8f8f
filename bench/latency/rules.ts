import { normalCdf } from "../../eval/stats/normal.ts";
import { studentQuantile } from "../../eval/stats/student.ts";

/**
 * Other tools' rules on one number per run, for comparison. Each returns true for an alert. None of them runs the
 * baseline again beside the candidate: they compare with what an earlier job measured.
 */

/** github-action-benchmark: alert when current / previous exceeds the threshold (default 200 %). */
export function ratioAlert(current: number, previous: number, threshold: number): boolean {
  return current / previous > threshold;
}

/**
 * Bencher's t-test threshold: alert when the value lies above the upper boundary of the history's t distribution, mean
 * + t(boundary, n - 1) · sd. With fewer than two earlier values it is skipped, which is no alert.
 */
export function studentAlert(current: number, history: readonly number[], boundary: number): boolean {
  if (history.length < 2) return false;
  const mean = history.reduce((sum, x) => sum + x, 0) / history.length;
  const sd = Math.sqrt(history.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (history.length - 1));
  return current > mean + studentQuantile(boundary, history.length - 1) * sd;
}

/**
 * Mann-Whitney U, one-sided (candidate larger), normal approximation with continuity and tie correction, like SciPy's
 * asymptotic method.
 */
export function mannWhitneyAlert(candidate: readonly number[], baseline: readonly number[], alpha: number): boolean {
  const all = [
    ...candidate.map((value) => ({ value, mine: true })),
    ...baseline.map((value) => ({ value, mine: false })),
  ].toSorted((a, b) => a.value - b.value);
  const [m, n, total] = [candidate.length, baseline.length, all.length];
  let rankSum = 0;
  let ties = 0;
  for (let i = 0; i < total;) {
    let j = i;
    while (j < total && all[j]?.value === all[i]?.value) j++;
    for (let k = i; k < j; k++) if (all[k]?.mine === true) rankSum += (i + j + 1) / 2;
    ties += (j - i) ** 3 - (j - i);
    i = j;
  }
  const u = rankSum - (m * (m + 1)) / 2;
  const sd = Math.sqrt(((m * n) / 12) * (total + 1 - ties / (total * (total - 1))));
  return 1 - normalCdf((u - (m * n) / 2 - 0.5) / sd) < alpha;
}
