/** The tokens that would complete a sequence of `size` tokens that stands in `tokens` already. */
export function repeatingTokens(tokens: readonly number[], size: number): number[] {
  const start = tokens.length - size + 1;
  if (size === 0 || start < 0) return [];
  const found: number[] = [];
  for (let from = 0; from + size <= tokens.length; from++) {
    let same = true;
    for (let i = 0; same && i < size - 1; i++) same = tokens[from + i] === tokens[start + i];
    if (same) found.push(tokens[from + size - 1]!);
  }
  return found;
}
