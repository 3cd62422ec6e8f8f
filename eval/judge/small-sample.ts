import type { MetricName } from "../../models/core/gates.ts";
import type { Sample } from "../metrics/definition.ts";
import { supportOf } from "../measure.ts";

/** Below this many rows of the rarest class, intervals of rankings, probabilities and rare decisions were measured to err above alpha. */
export const fewOfAClass = 100;

/** Below this many rows that carry the sum of squared errors, those of RMSE and R² were. */
export const fewCarryingRows = 300;

/** Half of the fewest rows of a regression that were simulated: what happens below is not known. */
export const fewRows = 100;

/** Kept at alpha on every sample that was simulated: its interval inverts an exact-enough test, or is conservative. */
const safe: ReadonlySet<MetricName> = new Set(["accuracy", "ece"]);

/**
 * What makes the intervals of a metric on these rows err more often than alpha promises, in words; null when nothing known does. The
 * thresholds are where simulated gates at the exact boundary left alpha (bench/results/calibration.md):
 * classification: fewer than 100 rows of the rarest class; RMSE and R²: fewer than 300 effective rows, (Σe²)² / Σe⁴, the number of equal
 * errors that would carry the sum of squares as evenly; every regression metric: fewer than 100 rows, which were not simulated.
 */
export function smallSample(metric: MetricName, samples: readonly Sample[]): string | null {
  const [first] = samples;
  if (first === undefined || safe.has(metric)) return null;
  if (first.classCount > 0) {
    const { fewest, words } = supportOf(first);
    return fewest < fewOfAClass ? words : null;
  }
  if (first.labels.length < fewRows) return `${first.labels.length} rows`;
  if (metric !== "rmse" && metric !== "r2") return null;
  const carrying = Math.min(...samples.map(carryingRows));
  return carrying < fewCarryingRows ? `its squared errors rest on about ${Math.max(1, Math.round(carrying))} rows` : null;
}

function carryingRows({ labels, scores }: Sample): number {
  let squares = 0;
  let fourths = 0;
  for (let i = 0; i < labels.length; i++) {
    const square = ((labels[i] as number) - (scores[i] as number)) ** 2;
    squares += square;
    fourths += square * square;
  }
  return fourths > 0 ? (squares * squares) / fourths : Infinity;
}

const mostNamed = 5;

/** One note for all checks that decide on an interval of a small sample; null when there are none. */
export function smallSampleNote(cautions: readonly { metric: string; slice: string; caution: string }[]): string | null {
  if (cautions.length === 0) return null;
  const named = [...new Set(cautions.map(({ metric, slice, caution }) => `${metric}${slice === "all" ? "" : ` on ${slice}`} (${caution})`))];
  const more = named.length - mostNamed;
  return `Small-sample warning: ${named.slice(0, mostNamed).join(", ")}${more > 0 ? ` and ${more} more` : ""}: on so few rows simulated gates let a loss of exactly the margin through more often than alpha allows (bench/results/calibration.md). Take a PASS that is close to its margin with care.`;
}
