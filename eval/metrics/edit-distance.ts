/**
 * Fewest insertions, deletions and substitutions that turn one sequence into another (Levenshtein 1966; R. A. Wagner and
 * M. J. Fischer, J. ACM 21, 1974). O(one × other) after equal beginnings and ends are taken off.
 */
export function editDistance(one: Int32Array, other: Int32Array): number {
  let from = 0;
  while (from < one.length && from < other.length && one[from] === other[from]) from++;
  let [oneEnd, otherEnd] = [one.length, other.length];
  while (oneEnd > from && otherEnd > from && one[oneEnd - 1] === other[otherEnd - 1]) {
    oneEnd--;
    otherEnd--;
  }
  const width = otherEnd - from;
  if (width === 0 || oneEnd === from) return Math.max(width, oneEnd - from);
  // Distances from the first i of one to the first j of the other, for the row i.
  const row = new Int32Array(width + 1);
  for (let j = 0; j <= width; j++) row[j] = j;
  for (let i = from; i < oneEnd; i++) {
    const value = one[i] as number;
    let diagonal = row[0] as number;
    let left = diagonal + 1;
    row[0] = left;
    for (let j = 1; j <= width; j++) {
      const above = row[j] as number;
      let best = value === other[from + j - 1] ? diagonal : diagonal + 1;
      if (above < best) best = above + 1;
      if (left < best) best = left + 1;
      diagonal = above;
      left = best;
      row[j] = best;
    }
  }
  return row[width] as number;
}
