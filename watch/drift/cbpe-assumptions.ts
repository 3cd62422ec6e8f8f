import { decideEquivalence } from "../../eval/stats/decide.ts";
import { normalQuantile } from "../../eval/stats/normal.ts";
import { expectedPerformance } from "./cbpe.ts";

/** One assumption of an estimate without labels. `null`: the data cannot say. */
export type Assumption = { name: "calibration" | "support" | "concept"; holds: boolean | null; reason: string };

/** How far expected and realised accuracy of the reference may be apart. */
const calibrationMargin = 0.02;
/** Share of live rows that may lie beyond the reference's scores. */
const unsupportedShare = 0.01;

/**
 * The assumptions of ./cbpe.ts, each checked where it can be.
 *
 * - Calibration: on labelled rows of the reference that no calibration was fitted on, expected minus realised accuracy,
 *   whose interval (normal, sd √Σr(1 - r)/n) must lie within ±0.02. Too few rows to show it are `null`.
 * - Support: at most 1 % of the live scores lie outside the reference's smallest and largest.
 * - Concept: that labels follow inputs as before cannot be seen without labels. Always `null`.
 *
 * An estimate may be shown where none is false; it must be shown with those that are null.
 *
 * @param level two-sided, of the interval of the calibration
 */
export function cbpeAssumptions(
  reference: { probabilities: readonly number[]; labels: readonly number[] },
  live: readonly number[],
  threshold = 0.5,
  level = 0.95,
): Assumption[] {
  return [
    calibration(reference, threshold, level),
    support(reference.probabilities, live),
    {
      name: "concept",
      holds: null,
      reason: "whether labels still follow inputs as they did cannot be seen without labels",
    },
  ];
}

function calibration(
  { probabilities, labels }: { probabilities: readonly number[]; labels: readonly number[] },
  threshold: number,
  level: number,
): Assumption {
  const name = "calibration";
  if (probabilities.length === 0 || probabilities.length !== labels.length)
    return { name, holds: null, reason: "no labelled rows of the reference" };
  const { accuracy, accuracySd } = expectedPerformance(probabilities, threshold);
  const right = probabilities.filter((p, i) => p >= threshold === (labels[i] === 1)).length;
  const gap = accuracy - right / labels.length;
  // Where every probability is 0 or 1 the sd is 0: a single wrong row then refutes it, and none leaves one row's doubt.
  const half = normalQuantile(0.5 + level / 2) * Math.max(accuracySd, 0.5 / labels.length);
  const said = `expected accuracy ${accuracy.toFixed(4)}, realised ${(right / labels.length).toFixed(4)} on ${labels.length} labelled rows`;
  switch (decideEquivalence({ low: gap - half, high: gap + half }, calibrationMargin)) {
    case "pass":
      return { name, holds: true, reason: said };
    case "fail":
      return { name, holds: false, reason: `${said}: calibrate the scores, for example by isotonic regression` };
    case "inconclusive":
      return { name, holds: null, reason: `${said}: too few to show that they agree within ${calibrationMargin}` };
  }
}

function support(reference: readonly number[], live: readonly number[]): Assumption {
  const name = "support";
  if (reference.length === 0 || live.length === 0) return { name, holds: null, reason: "no scores to compare" };
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const score of reference) {
    low = Math.min(low, score);
    high = Math.max(high, score);
  }
  const share = live.filter((score) => !(score >= low && score <= high)).length / live.length;
  const reason = `${(100 * share).toFixed(1)} % of live scores outside the reference's ${low} to ${high}`;
  return { name, holds: share <= unsupportedShare, reason };
}
