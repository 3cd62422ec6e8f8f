import type { MetricName } from "../../models/core/manifest/gates.ts";
import type { Sample } from "../metrics/definition.ts";

/** With fewer such rows RMSE and R² are not decided: the next large error would move them by more than any seen. */
const fewestCarryingSquares = 30;

export const restOnSquares: ReadonlySet<MetricName> = new Set(["rmse", "r2"]);

/** The smallest number of rows that carry a model's squared errors. */
export function carryingSquares(samples: readonly Sample[]): number {
  return Math.min(
    ...samples.map(({ labels, scores }) => carryingRows(labels.map((label, i) => label - (scores[i] as number)))),
  );
}

/** Why RMSE or R² cannot be decided on these rows, and what would help; null where it can, and for other metrics. */
export function fewLargeErrors(metric: MetricName, samples: readonly Sample[]): string | null {
  const rows = samples[0]?.labels.length ?? 0;
  if (!restOnSquares.has(metric) || rows < fewestCarryingSquares) return null;
  const carrying = carryingSquares(samples);
  return carrying < fewestCarryingSquares
    ? `too few rows to decide: the squared errors of all ${rows} rows rest on about ${Math.max(1, Math.round(carrying))} of them, and ${fewestCarryingSquares} are needed; more rows help, or mae, which large errors move less`
    : null;
}

/** (Σd²)² / Σd⁴: the number of equal deviations that would carry the sum of squares as evenly. */
export function carryingRows(deviations: Float64Array): number {
  let squares = 0;
  let fourths = 0;
  for (const deviation of deviations) {
    const square = deviation ** 2;
    squares += square;
    fourths += square * square;
  }
  return fourths > 0 ? (squares * squares) / fourths : Infinity;
}
