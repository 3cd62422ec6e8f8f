/** Items by score, the largest first; `tie` orders those with equal scores. */
export function rankByScore(scores: Record<string, number>, tie: (one: string, other: string) => number): string[] {
  return Object.keys(scores).sort((a, b) => scores[b]! - scores[a]! || tie(a, b));
}
