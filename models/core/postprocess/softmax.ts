/**
 * Softmax in float64. The largest logit is subtracted first, so that no exponential overflows. The result sums to 1.
 * Agrees with scipy.special.softmax.
 */
export function softmax(logits: ArrayLike<number>, from = 0, count = logits.length): number[] {
  let largest = -Infinity;
  for (let i = 0; i < count; i++) largest = Math.max(largest, logits[from + i]!);
  const probabilities = new Array<number>(count);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const exponential = Math.exp(logits[from + i]! - largest);
    probabilities[i] = exponential;
    sum += exponential;
  }
  for (let i = 0; i < count; i++) probabilities[i] = probabilities[i]! / sum;
  return probabilities;
}
