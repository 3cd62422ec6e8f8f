/** What one comparison says, before any verdict algebra. */
export type Outcome = "pass" | "fail" | "inconclusive";
export type Direction = "higher" | "lower";
type Ends = { low: number; high: number };

/** Whether an interval can decide anything: its ends are in order, not NaN, and not both at the same infinity. */
function usable({ low, high }: Ends): boolean {
  return low <= high && low < Number.POSITIVE_INFINITY && high > Number.NEGATIVE_INFINITY;
}

/** The interval of the gain: candidate - baseline where higher is better, baseline - candidate where lower is. */
function gain({ low, high }: Ends, direction: Direction): Ends {
  return direction === "higher" ? { low, high } : { low: -high, high: -low };
}

const usableMargin = (margin: number): boolean => Number.isFinite(margin) && margin >= 0;

/**
 * Non-inferiority with margin m ≥ 0, where g is the candidate's gain and [L, U] the interval of g at level 1 - 2α: pass
 * ⇔ L > -m · fail ⇔ U < -m · inconclusive otherwise. Pass and fail are each wrong with probability at most α.
 * `interval` is that of candidate - baseline in the metric's own sign; a missing (null) or unusable one is
 * inconclusive.
 */
export function decideNonInferiority(interval: Ends | null, margin: number, direction: Direction): Outcome {
  if (interval === null || !usable(interval) || !usableMargin(margin)) return "inconclusive";
  const { low, high } = gain(interval, direction);
  return low > -margin ? "pass" : high < -margin ? "fail" : "inconclusive";
}

/**
 * Superiority by more than m ≥ 0: pass ⇔ L > m · fail ⇔ U < m (shown not to be better by m) · inconclusive otherwise.
 */
export function decideSuperiority(interval: Ends | null, margin: number, direction: Direction): Outcome {
  if (interval === null || !usable(interval) || !usableMargin(margin)) return "inconclusive";
  const { low, high } = gain(interval, direction);
  return low > margin ? "pass" : high < margin ? "fail" : "inconclusive";
}

/**
 * Equivalence within ± m: pass ⇔ -m < L and U < m (two one-sided tests, Schuirmann 1987, each at α) · fail ⇔ U < -m or
 * L > m · inconclusive otherwise. The direction does not matter.
 */
export function decideEquivalence(interval: Ends | null, margin: number): Outcome {
  if (interval === null || !usable(interval) || !usableMargin(margin)) return "inconclusive";
  const { low, high } = interval;
  return -margin < low && high < margin ? "pass" : high < -margin || low > margin ? "fail" : "inconclusive";
}

/** The rules of a comparison with a baseline. */
export type Comparison = "non-inferiority" | "superiority" | "equivalence";

/** One of the three rules above, by name. */
export function decideComparison(
  kind: Comparison,
  interval: Ends | null,
  margin: number,
  direction: Direction,
): Outcome {
  switch (kind) {
    case "non-inferiority":
      return decideNonInferiority(interval, margin, direction);
    case "superiority":
      return decideSuperiority(interval, margin, direction);
    case "equivalence":
      return decideEquivalence(interval, margin);
  }
}

/**
 * A limit min ≤ θ ≤ max (either may be null, but not both), on the observed value v: pass ⇔ min ≤ v ≤ max · fail
 * otherwise. NaN, or no limit at all, is inconclusive.
 */
export function decideObservedLimit(value: number, min: number | null, max: number | null): Outcome {
  if (Number.isNaN(value) || !usableLimits(min, max)) return "inconclusive";
  return (min === null || value >= min) && (max === null || value <= max) ? "pass" : "fail";
}

/**
 * A limit min ≤ θ ≤ max on the interval [L, U] of the metric (`confident: true`): pass ⇔ L ≥ min and U ≤ max · fail ⇔ U
 * < min or L > max · inconclusive otherwise.
 */
export function decideConfidentLimit(interval: Ends | null, min: number | null, max: number | null): Outcome {
  if (interval === null || !usable(interval) || !usableLimits(min, max)) return "inconclusive";
  const { low, high } = interval;
  if ((min !== null && high < min) || (max !== null && low > max)) return "fail";
  return (min === null || low >= min) && (max === null || high <= max) ? "pass" : "inconclusive";
}

function usableLimits(min: number | null, max: number | null): boolean {
  return (
    (min !== null || max !== null) &&
    !Number.isNaN(min ?? 0) &&
    !Number.isNaN(max ?? 0) &&
    (min ?? Number.NEGATIVE_INFINITY) <= (max ?? Number.POSITIVE_INFINITY)
  );
}
