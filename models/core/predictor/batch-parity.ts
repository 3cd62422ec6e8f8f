/** Result of a check that every gate makes: neither padding nor the other rows of a batch may change an answer. */
export type BatchParity = {
  /** Rows compared. */
  rows: number;
  /** Largest |batched - alone| / (1 + |alone|) over rows and raw output numbers. */
  maxDifference: number;
  tolerance: number;
  /** Whether every difference is within the tolerance; false without a single row. */
  ok: boolean;
  /** Index, in the given rows, of the row that differed most; null when none differed. */
  worstRow: number | null;
};

/** Number of rows that are compared at most. */
const PARITY_ROWS = 64;

/**
 * Runs rows alone and in batches that put the shortest beside the longest, and compares the graph's raw outputs: |a -
 * b| <= tolerance * (1 + |b|), where b is the answer alone. Activations come later because they could hide a
 * difference. A number that is NaN in only one of the two runs counts as an infinite difference.
 */
export async function batchParity<T>(
  rows: readonly T[],
  how: {
    tolerance: number;
    /** Rows per batch. */
    batch: number;
    length: (row: T) => number;
    index: (row: T) => number;
    run: (rows: readonly T[]) => Promise<Record<string, readonly number[]>[]>;
  },
): Promise<BatchParity> {
  const sample = interleave(
    spread(
      rows.toSorted((a, b) => how.length(a) - how.length(b)),
      PARITY_ROWS,
    ),
  );
  let maxDifference = 0;
  let worstRow: number | null = null;
  for (let from = 0; from < sample.length; from += how.batch) {
    const batch = sample.slice(from, from + how.batch);
    const together = await how.run(batch);
    for (const [i, row] of batch.entries()) {
      const [alone] = await how.run([row]);
      const difference = largestDifference(alone!, together[i]!);
      if (difference > maxDifference) [maxDifference, worstRow] = [difference, how.index(row)];
    }
  }
  return {
    rows: sample.length,
    maxDifference,
    tolerance: how.tolerance,
    ok: sample.length > 0 && maxDifference <= how.tolerance,
    worstRow,
  };
}

/** `count` rows evenly over the sorted ones, both ends included. */
function spread<T>(sorted: readonly T[], count: number): T[] {
  if (sorted.length <= count) return [...sorted];
  return Array.from({ length: count }, (_, i) => sorted[Math.round((i * (sorted.length - 1)) / (count - 1))]!);
}

/** Shortest, longest, second shortest, second longest …, so that every batch mixes lengths as far apart as possible. */
function interleave<T>(sorted: readonly T[]): T[] {
  return sorted.map((_, i) => sorted[i % 2 === 0 ? i / 2 : sorted.length - 1 - (i - 1) / 2]!);
}

function largestDifference(
  alone: Readonly<Record<string, readonly number[]>>,
  together: Readonly<Record<string, readonly number[]>>,
): number {
  let largest = 0;
  for (const [name, values] of Object.entries(alone)) {
    const others = together[name] ?? [];
    if (others.length !== values.length) return Infinity;
    values.forEach((b, i) => {
      const a = others[i]!;
      if (Object.is(a, b)) return;
      const difference = Math.abs(a - b) / (1 + Math.abs(b));
      largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference);
    });
  }
  return largest;
}
