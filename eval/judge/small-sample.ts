import type { MetricName } from "../../models/core/manifest/gates.ts";
import type { Sample } from "../metrics/definition.ts";
import { supportOf } from "../metrics/measure.ts";
import { carryingRows, carryingSquares, restOnSquares } from "../power/few-large-errors.ts";

/**
 * With fewer rows of the rarest class than this, the intervals of rankings, probabilities and rare decisions were
 * measured to err more often than alpha.
 */
export const fewOfAClass = 100;

/**
 * The same limit for average precision, whose difference stays skewed for longer: 7 % errors at an alpha of 5 % with
 * 500 rows of each class.
 */
export const fewForAveragePrecision = 1_000;

/** The same limit for RMSE and R², in rows that carry the sum of squared errors. */
export const fewCarryingSquares = 300;

/** The same limit for MAE, in rows that carry the variance of what is averaged. */
export const fewCarryingMean = 100;

/**
 * With fewer clusters the interval of one model's value, which clusters move more than a difference of two models, was
 * measured to err more often than alpha.
 */
const fewForLimit = 40;

/** Half of the smallest regression sample that was simulated. What happens below is not known. */
const fewRows = 100;

/**
 * Metrics that kept to alpha on every simulated sample: the interval inverts a nearly exact test, or is conservative.
 */
const safe: ReadonlySet<MetricName> = new Set(["accuracy", "ece"]);

/** The value that a mean-error metric averages, per row. */
const rowErrors: Partial<Record<MetricName, (error: number, label: number, score: number, scale: number) => number>> = {
  mae: (error) => error,
  mape: (error, label) => error / Math.abs(label),
  smape: (error, label, score) => (error === 0 ? 0 : (2 * error) / (Math.abs(label) + Math.abs(score))),
  mase: (error, _, __, scale) => (scale === 0 ? 0 : error / scale),
};

/**
 * Why the intervals of a metric on these rows err more often than alpha promises; null when no reason is known. The
 * thresholds are where simulated gates at the exact boundary exceeded alpha (bench/results/calibration.md):
 * - classification: fewer than 100 rows of the rarest class, or 1,000 for average precision;
 * - RMSE and R²: fewer than 300 effective rows, (Σe²)² / Σe⁴, which is the number of equal errors that would carry the
 *   sum of squares as evenly;
 * - MAE and similar metrics: fewer than 100 such effective rows of what is averaged, less its mean;
 * - every regression metric: fewer than 100 rows, which were not simulated;
 * - a limit on one model's value: fewer than 40 clusters (bench/results/calibration-clusters.md).
 *
 * @param samples the candidate's rows, and for a comparison the baseline's
 */
export function smallSample(metric: MetricName, samples: readonly Sample[]): string | null {
  const [first, second] = samples;
  if (first === undefined) return null;
  if (second === undefined && first.groups !== null) {
    const clusters = new Set(first.groups).size;
    if (clusters < fewForLimit) return `${clusters} clusters`;
  }
  if (safe.has(metric)) return null;
  if (first.classCount > 0) {
    const { fewest, words } = supportOf(first);
    return fewest < (metric === "average_precision" ? fewForAveragePrecision : fewOfAClass) ? words : null;
  }
  const { fewest: rows, words: counted } = supportOf(first);
  if (rows < fewRows) return counted;
  const about = (rows: number) => `about ${Math.max(1, Math.round(rows))} rows`;
  if (restOnSquares.has(metric)) {
    const carrying = carryingSquares(samples);
    return carrying < fewCarryingSquares ? `its squared errors rest on ${about(carrying)}` : null;
  }
  const errorOf = rowErrors[metric];
  if (errorOf === undefined) return null;
  const errors = ({ labels, scores, naiveScales }: Sample) =>
    labels.map((label, i) =>
      errorOf(Math.abs(label - (scores[i] as number)), label, scores[i] as number, naiveScales?.[i] ?? 1),
    );
  const mine = errors(first);
  const others = second === undefined ? null : errors(second);
  const averaged = others === null ? mine : mine.map((error, i) => error - (others[i] as number));
  const mean = averaged.reduce((sum, value) => sum + value, 0) / averaged.length;
  const carrying = carryingRows(averaged.map((value) => value - mean));
  return carrying < fewCarryingMean
    ? `its ${others === null ? "errors rest" : "differences rest"} on ${about(carrying)}`
    : null;
}

const maxNamed = 5;

/** One note for all checks that decide by an interval on a small sample; null when there are none. */
export function smallSampleNote(
  cautions: readonly { metric: string; slice: string; caution: string }[],
): string | null {
  if (cautions.length === 0) return null;
  const named = [
    ...new Set(
      cautions.map(({ metric, slice, caution }) => `${metric}${slice === "all" ? "" : ` on ${slice}`} (${caution})`),
    ),
  ];
  const more = named.length - maxNamed;
  return `Small-sample warning: ${named.slice(0, maxNamed).join(", ")}${more > 0 ? ` and ${more} more` : ""}: on so few rows simulated gates let a loss of exactly the margin through more often than alpha allows (bench/results/calibration.md). Take a PASS that is close to its margin with care.`;
}
