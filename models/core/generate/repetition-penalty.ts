/**
 * Makes tokens less likely that are there already (Keskar et al. 2019, CTRL): a positive logit is divided by the
 * penalty, a negative one multiplied. Changes `logits`.
 */
export function penaliseRepetition(logits: Float32Array, tokens: readonly number[], penalty: number): void {
  for (const token of new Set(tokens)) {
    const logit = logits[token];
    if (logit === undefined) continue;
    logits[token] = logit > 0 ? logit / penalty : logit * penalty;
  }
}
