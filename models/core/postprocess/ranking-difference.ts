type Scored = readonly { id: string; score: number }[];

/**
 * How much two rankings differ, as |a - b| / (1 + |b|): the largest over the items' scores. An item that only one of
 * them has counts by how far it is from the end of the other, so that items of nearly the same score may change places,
 * at the cut too. Infinite for rankings of different lengths.
 */
export function rankingDifference(first: Scored, other: Scored): number {
  if (first.length !== other.length) return Infinity;
  if (first.length === 0) return 0;
  const scores = new Map(other.map(({ id, score }) => [id, score]));
  const away = (a: number, b: number) => Math.abs(a - b) / (1 + Math.abs(b));
  const ids = new Set(first.map(({ id }) => id));
  const last = { first: first.at(-1)!.score, other: other.at(-1)!.score };
  return Math.max(
    ...first.map(({ id, score }) => away(score, scores.get(id) ?? last.other)),
    ...other.filter(({ id }) => !ids.has(id)).map(({ score }) => away(last.first, score)),
  );
}
