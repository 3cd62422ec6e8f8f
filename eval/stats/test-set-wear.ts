/** What judging many candidates on the same rows may have made too good. */
export type Wear = {
  /** Distinct candidates that the dataset has judged, this one included. */
  candidates: number;
  rows: number;
  /** Largest optimism of any of them where candidates were not chosen by earlier results: √(ln(2k/α)/2n). */
  optimism: number;
  /** The same in the worst case, where each could follow from the outcomes before: √((k ln 2 + ln(2/α))/2n). */
  adaptiveOptimism: number;
  /** Candidates until `optimism` passes the limit; null where no limit was given, 0 where it has. */
  candidatesLeft: number | null;
  worn: boolean;
};

/**
 * Bounds on the optimism of a dataset's verdicts, with probability 1 - α for all k candidates at once, for a mean of
 * values in [0, 1] such as accuracy (Hoeffding's inequality and the union bound; for one bit of feedback per candidate
 * the 2^k possible histories: Dwork and others, Science 349, 2015; Blum and Hardt, ICML 2015).
 *
 * @param limit largest optimism that is accepted, such as the margin of the gate; null only counts
 * @throws RangeError where candidates or rows are not whole numbers from 1
 */
export function testSetWear(candidates: number, rows: number, limit: number | null = null, alpha = 0.05): Wear {
  for (const [name, value] of Object.entries({ candidates, rows }))
    if (!(Number.isInteger(value) && value >= 1))
      throw new RangeError(`${name} must be a whole number from 1, got ${value}`);
  const optimism = Math.sqrt(Math.log((2 * candidates) / alpha) / (2 * rows));
  const adaptiveOptimism = Math.sqrt((candidates * Math.LN2 + Math.log(2 / alpha)) / (2 * rows));
  const worn = limit !== null && optimism > limit;
  // The largest k with √(ln(2k/α)/2n) ≤ limit.
  const allowed = limit === null ? null : Math.floor((alpha / 2) * Math.exp(2 * rows * limit * limit));
  const candidatesLeft = allowed === null ? null : Math.max(0, allowed - candidates);
  return { candidates, rows, optimism, adaptiveOptimism, candidatesLeft, worn };
}
