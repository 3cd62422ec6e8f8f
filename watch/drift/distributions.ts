/**
 * Counts of a number on fixed edges. Bin i holds values in [edges[i-1], edges[i]); the first and the last bin are open
 * outwards, so `counts` is one longer than `edges`, which ascend. Values that are missing are not in it.
 */
export type Histogram = { edges: readonly number[]; counts: readonly number[] };

/** Counts by name. `other`: what has no name of its own, because it is rare or was never seen before. */
export type CategoryCounts = { categories: readonly string[]; counts: readonly number[]; other: number };

/** A number that says how far two distributions are apart, with its interval. */
export type DriftEstimate = {
  /** NaN where one side is empty. */
  value: number;
  /** Null where nothing can be said: one side is empty. */
  interval: { low: number; high: number; level: number; method: string } | null;
  /** Probability of a value this large without any drift. It follows n, so it never decides by itself. */
  pValue: number;
  /** Rows of the reference and of the live window. */
  n: number;
  m: number;
};

/** Counts of two distributions column by column. */
export type AlignedCounts = { reference: readonly number[]; live: readonly number[] };

/** @throws RangeError when the two were not counted on the same edges */
export function alignHistograms(reference: Histogram, live: Histogram): AlignedCounts {
  for (const { edges, counts } of [reference, live])
    if (counts.length !== edges.length + 1)
      throw new RangeError(
        `a histogram has one count more than edges (outer bins are open), got ${edges.length} edges and ${counts.length} counts`,
      );
  const same =
    reference.edges.length === live.edges.length && reference.edges.every((edge, i) => edge === live.edges[i]);
  if (!same)
    throw new RangeError("both histograms need the same edges: those of the reference; count the live values on them");
  return { reference: reference.counts, live: live.counts };
}

/**
 * Columns by name, in the reference's order. Everything of the live side that the reference has no name for is the last
 * column, beside the reference's own `other`: where that is 0, the column holds unseen values alone.
 */
export function alignCategories(reference: CategoryCounts, live: CategoryCounts): AlignedCounts {
  const at = new Map(reference.categories.map((name, i) => [name, i]));
  const counts = Array.from(reference.categories, () => 0);
  let other = live.other;
  live.categories.forEach((name, i) => {
    const column = at.get(name);
    const count = live.counts[i] ?? 0;
    if (column === undefined) other += count;
    else counts[column] = (counts[column] ?? 0) + count;
  });
  return { reference: [...reference.counts, reference.other], live: [...counts, other] };
}

export function total(counts: readonly number[]): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

/** The same without the columns that are empty on both sides: they say nothing and would count as degrees of freedom. */
export function occupied({ reference, live }: AlignedCounts): AlignedCounts {
  const kept = reference.map((count, i) => count > 0 || (live[i] ?? 0) > 0);
  return { reference: reference.filter((_, i) => kept[i]), live: live.filter((_, i) => kept[i]) };
}
