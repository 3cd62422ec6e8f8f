/** Gives every distinct value a number; equal values of all sequences have one. */
export function numberedSequences(sequences: readonly (readonly (string | number)[])[]): {
  sequences: Int32Array[];
  distinct: number;
} {
  const numbers = new Map<string | number, number>();
  const numbered = sequences.map((sequence) => {
    const ids = new Int32Array(sequence.length);
    for (let i = 0; i < ids.length; i++) {
      const value = sequence[i] as string | number;
      let id = numbers.get(value);
      if (id === undefined) numbers.set(value, (id = numbers.size));
      ids[i] = id;
    }
    return ids;
  });
  return { sequences: numbered, distinct: numbers.size };
}

/**
 * How often each sequence holds each n-gram, for n = 1 … `maxOrder`: counts[n - 1][sequence][n-gram]. An n-gram has the
 * same number in every sequence. O(length × maxOrder): an n-gram's number comes from that of its first n - 1 values and
 * its last one.
 */
export function ngramCounts(values: readonly (readonly (string | number)[])[], maxOrder: number): Uint32Array[][] {
  const { sequences, distinct } = numberedSequences(values);
  let shorter = sequences.map(({ length }) => new Int32Array(length + 1));
  return Array.from({ length: maxOrder }, (_, i) => {
    const n = i + 1;
    const numbers = new Map<number, number>();
    const longer = sequences.map((sequence, s) => {
      const ids = new Int32Array(Math.max(0, sequence.length - n + 1));
      for (let at = 0; at < ids.length; at++) {
        const key = ((shorter[s] as Int32Array)[at] as number) * distinct + (sequence[at + n - 1] as number);
        let id = numbers.get(key);
        if (id === undefined) numbers.set(key, (id = numbers.size));
        ids[at] = id;
      }
      return ids;
    });
    shorter = longer;
    return longer.map((ids) => {
      const counts = new Uint32Array(numbers.size);
      for (let at = 0; at < ids.length; at++) counts[ids[at] as number]!++;
      return counts;
    });
  });
}

/** n-grams that two sequences have in common, each as often as the one that has it less often. */
export function commonCount(one: Uint32Array, other: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += Math.min(one[i] as number, other[i] as number);
  return sum;
}
