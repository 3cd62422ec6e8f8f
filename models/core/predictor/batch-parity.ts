import type { RawAnswer } from "../postprocess/compiled.ts";
import { rankingDifference } from "../postprocess/ranking-difference.ts";

/**
 * Result of a check that every gate makes: neither padding, nor the other rows of a batch, nor chance may change an
 * answer.
 */
export type BatchParity = {
  /** Rows compared alone and in a batch. */
  rows: number;
  /**
   * How often a row was run twice: those rows, and repeats of batches. A model that answers differently in a share p of
   * its runs escapes with probability (1 - p)^comparisons.
   */
  comparisons: number;
  /** Largest |again - first| / (1 + |first|) over rows and raw output numbers. */
  maxDifference: number;
  tolerance: number;
  /** Whether every difference is within the tolerance; false without a single row. */
  ok: boolean;
  /** False when a repeat of the very same batch differed beyond the tolerance: the model draws random numbers. */
  repeatable: boolean;
  /** Index, in the given rows, of the row that differed most; null when none differed. */
  worstRow: number | null;
};

/** Number of rows that are compared alone and in a batch, at most. */
const PARITY_ROWS = 64;

/** ln 0.01 / ln 0.99: so many comparisons find a difference in 1 % of runs with probability 99 %. */
const COMPARISONS = 459;

/** Number of rows that are prepared for the check: preparing pictures can take longer than running the model. */
const PREPARED_ROWS = 2 * PARITY_ROWS;

/** Time after which no further batch is repeated. */
const REPEAT_MS = 1_000;

/**
 * Runs rows alone and in batches that put the shortest beside the longest, and compares the graph's raw outputs: |a -
 * b| <= tolerance * (1 + |b|), where b is the answer alone. Activations come later because they could hide a
 * difference. Ids and texts must be the same; items of a ranking may change places where their scores are that close. A number that is NaN in only one of the two runs counts as an infinite difference.
 *
 * Then batches of rows are run twice until 459 rows were compared in all, or a second has passed. Of fewer
 * rows each is repeated more often.
 */
export async function batchParity<T>(
  rows: readonly T[],
  how: {
    tolerance: number;
    /** Rows per batch. */
    batch: number;
    length: (row: T) => number;
    index: (row: T) => number;
    run: (rows: readonly T[]) => Promise<Answer[]>;
    /** Milliseconds. */
    now: () => number;
  },
): Promise<BatchParity> {
  const sorted = rows.toSorted((a, b) => how.length(a) - how.length(b));
  const sample = interleave(spread(sorted, PARITY_ROWS));
  const seen = { maxDifference: 0, worstRow: null as number | null };
  const note = (row: T, first: Answer, again: Answer): number => {
    const difference = largestDifference(first, again);
    if (difference > seen.maxDifference) [seen.maxDifference, seen.worstRow] = [difference, how.index(row)];
    return difference;
  };
  for (let from = 0; from < sample.length; from += how.batch) {
    const batch = sample.slice(from, from + how.batch);
    const together = await how.run(batch);
    for (const [i, row] of batch.entries()) {
      const [alone] = await how.run([row]);
      note(row, alone!, together[i]!);
    }
  }
  const repeats =
    sample.length === 0
      ? { compared: 0, maxDifference: 0 }
      : await repeatBatches(spread(sorted, COMPARISONS), sample.length, how, note);
  return {
    rows: sample.length,
    comparisons: sample.length + repeats.compared,
    ...seen,
    tolerance: how.tolerance,
    ok: sample.length > 0 && seen.maxDifference <= how.tolerance,
    repeatable: repeats.maxDifference <= how.tolerance,
  };
}

/**
 * The rows that the check prepares, spread evenly over their lengths.
 *
 * @param roughLength any number that grows with the prepared row's length
 * @returns indices of at most 128 rows
 */
export function parityRows<T>(rows: readonly T[], roughLength: (row: T) => number): number[] {
  const lengths = rows.map(roughLength);
  return spread(
    [...rows.keys()].toSorted((a, b) => lengths[a]! - lengths[b]!),
    PREPARED_ROWS,
  );
}

/** By head. */
type Answer = Readonly<Record<string, RawAnswer>>;

/**
 * Runs batches of these rows twice, again from the start where they do not reach.
 * @returns the number of rows compared, and the largest difference
 */
async function repeatBatches<T>(
  rows: readonly T[],
  already: number,
  how: { batch: number; run: (rows: readonly T[]) => Promise<Answer[]>; now: () => number },
  note: (row: T, first: Answer, again: Answer) => number,
): Promise<{ compared: number; maxDifference: number }> {
  const end = how.now() + REPEAT_MS;
  let compared = 0;
  let maxDifference = 0;
  for (let from = 0; already + compared < COMPARISONS && how.now() < end; from = (from + how.batch) % rows.length) {
    const batch = rows.slice(from, from + Math.min(how.batch, COMPARISONS - already - compared));
    const [first, again] = [await how.run(batch), await how.run(batch)];
    for (const [i, row] of batch.entries()) maxDifference = Math.max(maxDifference, note(row, first[i]!, again[i]!));
    compared += batch.length;
  }
  return { compared, maxDifference };
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

function largestDifference(alone: Answer, together: Answer): number {
  let largest = 0;
  for (const [name, first] of Object.entries(alone)) {
    const other = together[name];
    if (other === undefined || !sameList(first.exact, other.exact)) return Infinity;
    largest = Math.max(
      largest,
      numbersDifference(first.numbers, other.numbers),
      rankingDifference(other.ranked, first.ranked),
    );
  }
  return largest;
}

function numbersDifference(alone: ArrayLike<number>, together: ArrayLike<number>): number {
  if (alone.length !== together.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < alone.length; i++) {
    const [a, b] = [together[i]!, alone[i]!];
    if (Object.is(a, b)) continue;
    const difference = Math.abs(a - b) / (1 + Math.abs(b));
    largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference);
  }
  return largest;
}

const sameList = (first: RawAnswer["exact"], other: RawAnswer["exact"]) =>
  first.length === other.length && first.every((one, i) => one === other[i]);
