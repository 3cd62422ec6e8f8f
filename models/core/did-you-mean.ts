/**
 * The known name closest to what was typed, or null if none is close. Close means a Levenshtein distance of at most a
 * third of the typed length, or of 1 if that is more.
 */
export function didYouMean(typed: string, known: readonly string[]): string | null {
  const allowed = Math.max(1, Math.floor(typed.length / 3));
  let best: string | null = null;
  let least = allowed + 1;
  for (const name of known) {
    const distance = editDistance(typed.toLowerCase().slice(0, 64), name.toLowerCase());
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      current.push(Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    previous = current;
  }
  return previous[b.length]!;
}
