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
  const known = topK === undefined ? possible(logits) : best(logits, topK);
  const top = known.reduce((most, token) => Math.max(most, logits[token]!), -Infinity);
  const weightOf = (token: number) => Math.exp((logits[token]! - top) / temperature);
  const kept = topP === undefined ? known : nucleus(known, weightOf, topP, logits);
  let rest = uniform * kept.reduce((sum, token) => sum + weightOf(token), 0);
  for (const token of kept) {
    rest -= weightOf(token);
    if (rest < 0) return token;
  }
  return kept.at(-1)!;
}

function possible(logits: Float32Array): number[] {
  const tokens: number[] = [];
  for (let i = 0; i < logits.length; i++) if (logits[i]! > -Infinity) tokens.push(i);
  return tokens;
}

/** The `count` best, best first: a vocabulary is too long to be sorted for every token. */
function best(logits: Float32Array, count: number): number[] {
  const kept: number[] = [];
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token]!;
    if (logit === -Infinity || (kept.length === count && logit <= logits[kept.at(-1)!]!)) continue;
    let at = kept.length;
    while (at > 0 && logits[kept[at - 1]!]! < logit) at--;
    kept.splice(at, 0, token);
    if (kept.length > count) kept.pop();
  }
  return kept;
}

function nucleus(
  tokens: readonly number[],
  weightOf: (token: number) => number,
  share: number,
  logits: Float32Array,
): number[] {
  const total = tokens.reduce((sum, token) => sum + weightOf(token), 0);
  // Those below this are together less than what the nucleus leaves out, so that they need not be sorted.
  const least = ((1 - share) * total) / tokens.length;
  const likely = tokens
    .filter((token) => weightOf(token) >= least)
    .toSorted((a, b) => logits[b]! - logits[a]! || a - b);
  let sum = 0;
  const last = likely.findIndex((token) => (sum += weightOf(token)) >= share * total);
  return last === -1 ? likely : likely.slice(0, last + 1);
}
