import type { RandomStream } from "../stats/random.ts";

/** The keys beside each letter of a QWERTY keyboard. */
const neighbours: Readonly<Record<string, string>> = {
  a: "qwsz",
  b: "vghn",
  c: "xdfv",
  d: "serfcx",
  e: "wsdr",
  f: "drtgvc",
  g: "ftyhbv",
  h: "gyujnb",
  i: "ujko",
  j: "huikmn",
  k: "jiolm",
  l: "kop",
  m: "njk",
  n: "bhjm",
  o: "iklp",
  p: "ol",
  q: "wa",
  r: "edft",
  s: "awedxz",
  t: "rfgy",
  u: "yhji",
  v: "cfgb",
  w: "qase",
  x: "zsdc",
  y: "tghu",
  z: "asx",
};

const word = /\p{L}\p{M}*(?:\p{L}\p{M}*)+/gu;
const letter = /\p{L}\p{M}*/gu;

/**
 * A text in which each word of two letters or more has a typing error with probability `rate`. The four kinds are drawn
 * alike: a letter left out, doubled, swapped with the next one, or hit beside its key (for the letters a to z; other
 * letters are doubled). Each changes the text, and none changes where words begin and end.
 */
export function withTypos(text: string, rate: number, random: RandomStream): string {
  return rate === 0 ? text : text.replace(word, (one) => (random.uniform() < rate ? mistyped(one, random) : one));
}

function mistyped(text: string, random: RandomStream): string {
  const letters = text.match(letter)!;
  const at = random.below(letters.length);
  const one = letters[at]!;
  const changed = (...there: string[]) => [...letters.slice(0, at), ...there, ...letters.slice(at + 1)].join("");
  switch (random.below(4)) {
    case 0:
      return changed();
    case 1:
      return changed(one, one);
    case 2: {
      // The last letter swaps with the one before it. Two equal letters cannot be swapped visibly.
      const first = Math.min(at, letters.length - 2);
      const [left, right] = [letters[first]!, letters[first + 1]!];
      return left === right
        ? changed(one, one)
        : [...letters.slice(0, first), right, left, ...letters.slice(first + 2)].join("");
    }
    default: {
      const keys = neighbours[one.toLowerCase()];
      if (keys === undefined) return changed(one, one);
      const hit = keys[random.below(keys.length)]!;
      return changed(one === one.toLowerCase() ? hit : hit.toUpperCase());
    }
  }
}
