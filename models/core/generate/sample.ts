/**
 * Draws a token: logits / temperature, then the `topK` most probable ones, then the fewest of them whose probability
 * reaches `topP` (Holtzman et al. 2020). Equal logits: the smaller id first.
 *
 * @param uniform in [0, 1)
 */
export function drawToken(
  logits: Float32Array,
  { temperature, topK, topP }: { temperature: number; topK?: number | undefined; topP?: number | undefined },
  uniform: number,
): number {
  const tokens: number[] = [];
  for (let i = 0; i < logits.length; i++) if (logits[i]! > -Infinity) tokens.push(i);
  tokens.sort((a, b) => logits[b]! - logits[a]! || a - b);
  if (topK !== undefined) tokens.length = Math.min(tokens.length, topK);
  const top = logits[tokens[0]!]!;
  const weights = tokens.map((token) => Math.exp((logits[token]! - top) / temperature));
  let kept = weights.length;
  if (topP !== undefined) {
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    let sum = 0;
    kept = 1 + weights.findIndex((weight) => (sum += weight) >= topP * all);
    if (kept === 0) kept = weights.length;
  }
  const total = weights.slice(0, kept).reduce((sum, weight) => sum + weight, 0);
  let rest = uniform * total;
  for (let i = 0; i < kept; i++) {
    rest -= weights[i]!;
    if (rest < 0) return tokens[i]!;
  }
  return tokens[kept - 1]!;
}
