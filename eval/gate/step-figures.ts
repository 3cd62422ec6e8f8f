import { stepIn } from "../../models/core/graph/step-error.ts";
import type { Predictor } from "../../models/core/predictor/predictor.ts";
import type { Row } from "../../models/core/row.ts";
import type { BadRow } from "../dataset/bad-rows.ts";
import type { StepFigures } from "../schema/metrics.ts";
import { quantileOfSorted } from "../stats/quantile.ts";

/** Rows that are timed at most, one at a time. */
const TIMED_ROWS = 200;
/** Time after which no further row is timed. */
const TIMED_MS = 2_000;

/**
 * What each step of a composition costs and refuses: times of single rows over an even sample of the dataset, and how
 * many of the dataset's rows have no answer because of the step.
 *
 * @returns none for a model that is no composition
 */
export async function stepFigures(
  predictor: Pick<Predictor, "predict" | "describe">,
  rows: readonly Row[],
  badRows: readonly BadRow[],
  now: () => number,
): Promise<StepFigures[]> {
  const { steps } = predictor.describe();
  if (steps === undefined) return [];
  const times = new Map<string, number[]>(steps.map(({ step }) => [step, []]));
  const every = Math.max(1, Math.ceil(rows.length / TIMED_ROWS));
  const end = now() + TIMED_MS;
  for (let i = 0; i < rows.length && now() < end; i += every)
    await predictor.predict([rows[i]!], {
      batch: 1,
      badOutput: "row",
      onStep: ({ step, ms }) => void times.get(step)?.push(ms),
    });
  const failed = Map.groupBy(badRows, ({ reason }) => stepIn(reason)?.split("/", 1)[0]);
  return steps.map(({ step, model, version, sha256, modelBytes }) => {
    const sorted = Float64Array.from(times.get(step)!).toSorted();
    return {
      step,
      model,
      version,
      sha256,
      modelBytes,
      runs: sorted.length,
      p50Ms: sorted.length === 0 ? null : quantileOfSorted(sorted, 0.5),
      p95Ms: sorted.length === 0 ? null : quantileOfSorted(sorted, 0.95),
      failedRows: failed.get(step)?.length ?? 0,
    };
  });
}

/** For the reader of the report; null without steps. */
export function stepsNote(role: string, steps: readonly StepFigures[]): string | null {
  if (steps.length === 0) return null;
  const ms = (value: number) => `${value.toPrecision(3)} ms`;
  return `The ${role}'s steps: ${steps
    .map(
      ({ step, model, version, runs, p50Ms, p95Ms, failedRows }) =>
        `${step}, ${model} ${version}: ${p50Ms === null || p95Ms === null ? "took no row" : `p50 ${ms(p50Ms)}, p95 ${ms(p95Ms)} over ${runs} single ${runs === 1 ? "row" : "rows"}`}, ${failedRows === 0 ? "no errors" : `${failedRows} ${failedRows === 1 ? "row" : "rows"} refused`}`,
    )
    .join("; ")}.`;
}
