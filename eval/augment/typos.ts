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

/** A mistyped text, and where a place of the original is in it, in UTF-16 code units. */
export type Mistyped = { text: string; moved: (offset: number) => number };

/**
 * A text in which each word of two letters or more has a typing error with probability `rate`. The four kinds are drawn
 * alike: a letter left out, doubled, swapped with the next one, or hit beside its key (for the letters a to z; other
 * letters are doubled). Each changes the text, and none changes which words there are.
 */
export function withTypos(text: string, rate: number, random: RandomStream): Mistyped {
  const edits: { at: number; longer: number }[] = [];
  const replaced = (one: string, start: number): string => {
    if (random.uniform() >= rate) return one;
    const { made, at } = mistyped(one, random);
    if (made.length !== one.length) edits.push({ at: start + at, longer: made.length - one.length });
    return made;
  };
  return {
    text: rate === 0 ? text : text.replace(word, replaced),
    // What ends after the letter ends after it still.
    moved: (offset) => edits.reduce((sum, { at, longer }) => (at < offset ? sum + longer : sum), offset),
  };
}

/** `at`: where the letter begins that makes the word longer or shorter. */
function mistyped(text: string, random: RandomStream): { made: string; at: number } {
  const letters = text.match(letter)!;
  const chosen = random.below(letters.length);
  const one = letters[chosen]!;
  const changed = (...there: string[]) => ({
    made: [...letters.slice(0, chosen), ...there, ...letters.slice(chosen + 1)].join(""),
    at: letters.slice(0, chosen).join("").length,
  });
  switch (random.below(4)) {
    case 0:
      return changed();
    case 1:
      return changed(one, one);
    case 2: {
      // The last letter swaps with the one before it. Two equal letters cannot be swapped visibly.
      const first = Math.min(chosen, letters.length - 2);
      const [left, right] = [letters[first]!, letters[first + 1]!];
      return left === right
        ? changed(one, one)
        : { made: [...letters.slice(0, first), right, left, ...letters.slice(first + 2)].join(""), at: 0 };
    }
    default: {
      const keys = neighbours[one.toLowerCase()];
      if (keys === undefined) return changed(one, one);
      const hit = keys[random.below(keys.length)]!;
      return changed(one === one.toLowerCase() ? hit : hit.toUpperCase());
    }
  }
}
