/** A receiver operating characteristic from (0, 0) to (1, 1), as false- and true-positive rates. */
export type RocCurve = { falsePositiveRate: number[]; truePositiveRate: number[] };

/**
 * The ROC curve of binary scores, unweighted, thinned to at most `maxPoints` (evenly along the curve, ends kept). Tied
 * scores make one slanted step. Positives and negatives are sorted separately, so a million rows need no argsort. Null
 * when a class is missing. Rows with a score that is not finite are left out.
 *
 * @param labels 1 is the positive class, one per row
 * @param scores P(positive), one per row
 */
export function rocCurve(labels: Float64Array, scores: Float64Array, maxPoints = 400): RocCurve | null {
  const isFinite = (_: number, i: number) => Number.isFinite(scores[i]);
  const positives = scores.filter((score, i) => labels[i] === 1 && isFinite(score, i)).sort();
  const negatives = scores.filter((score, i) => labels[i] !== 1 && isFinite(score, i)).sort();
  if (positives.length === 0 || negatives.length === 0) return null;
  const x = [0];
  const y = [0];
  let i = positives.length - 1;
  let j = negatives.length - 1;
  while (i >= 0 || j >= 0) {
    const threshold = Math.max(positives[i] ?? Number.NEGATIVE_INFINITY, negatives[j] ?? Number.NEGATIVE_INFINITY);
    while (i >= 0 && positives[i] === threshold) i -= 1;
    while (j >= 0 && negatives[j] === threshold) j -= 1;
    x.push((negatives.length - 1 - j) / negatives.length);
    y.push((positives.length - 1 - i) / positives.length);
  }
  return thin(withoutMidpoints(x, y), maxPoints);
}

function withoutMidpoints(x: readonly number[], y: readonly number[]): RocCurve {
  const kept: RocCurve = { falsePositiveRate: [], truePositiveRate: [] };
  for (let k = 0; k < x.length; k += 1) {
    const straight =
      k > 0 &&
      k < x.length - 1 &&
      ((x[k - 1] === x[k] && x[k] === x[k + 1]) || (y[k - 1] === y[k] && y[k] === y[k + 1]));
    if (!straight) {
      kept.falsePositiveRate.push(x[k] ?? 0);
      kept.truePositiveRate.push(y[k] ?? 0);
    }
  }
  return kept;
}

function thin(curve: RocCurve, maxPoints: number): RocCurve {
  const { falsePositiveRate: x, truePositiveRate: y } = curve;
  if (x.length <= maxPoints) return curve;
  // x + y grows from 0 to 2 along the curve; one point is kept for each equal step of it.
  const kept: RocCurve = { falsePositiveRate: [0], truePositiveRate: [0] };
  const step = 2 / (maxPoints - 2);
  let next = step;
  for (let k = 1; k < x.length; k += 1) {
    const [a = 0, b = 0] = [x[k], y[k]];
    if (a + b >= next || k === x.length - 1) {
      kept.falsePositiveRate.push(a);
      kept.truePositiveRate.push(b);
      next = (Math.floor((a + b) / step) + 1) * step;
    }
  }
  return kept;
}
