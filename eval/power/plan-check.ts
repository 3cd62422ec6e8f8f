import { catalog, type MeasureOptions, type MetricDefinition } from "../metrics/catalog.ts";
import type { Sample } from "../metrics/definition.ts";
import type { Predictions } from "../predictions/predictions.ts";
import { sliceSample, supportOf } from "../metrics/measure.ts";
import type { CheckPolicy, Gates } from "../../models/core/manifest/gates.ts";
import { metricOptionsOf } from "../../models/core/manifest/metric-options.ts";
import type { PlannedPower } from "../schema/plan.ts";
import type { Interval } from "../schema/verdict.ts";
import { normalQuantile } from "../stats/normal.ts";
import { studentQuantile } from "../stats/student.ts";
import { selectRows } from "../predictions/select-rows.ts";
import { resampledError } from "./resampled-error.ts";
import { aboutRows, roundUp, rowsFor, smallestChangeOf } from "./rows-needed.ts";
import { standardErrorOf } from "./standard-error.ts";
import { passProbability, type Rule } from "./pass-probability.ts";
import { undecidable } from "./undecidable.ts";

/** The parts of a planned check that power depends on (see `eval/judge/plan-checks.ts`). */
export type PowerQuestion = {
  id: string;
  policy: CheckPolicy;
  head: string | null;
  slice: string;
  alpha: number;
  level: number;
};

export type PowerRequest = Pick<Gates, "minimumPerClass" | "onInsufficient"> & {
  seed: number;
  /** Correlation of the two models' errors, used when only one model is at hand. */
  correlation: number;
};

/** Correlation of two models' errors that agree little: the far end of what a plan allows for. */
export const lowCorrelation = 0.5;

/**
 * What a check can decide on the rows of a dataset.
 *
 * @param baseline in the candidate's row order; null when there is none that answers differently. Then the candidate's
 *   own standard error is turned into that of a difference between two models like it, se √(2 (1 - correlation))
 */
export function planCheck(
  planned: PowerQuestion,
  candidate: Predictions,
  baseline: Predictions | null,
  request: PowerRequest,
): PlannedPower {
  const { policy, alpha } = planned;
  const relative = policy.kind !== "limit" && typeof policy.margin !== "number";
  const margin =
    policy.kind === "limit" ? null : typeof policy.margin === "number" ? policy.margin : policy.margin.relative;
  const sample = sliceSample(candidate, planned.slice);
  const rows = sample?.labels.length ?? 0;
  const result: PlannedPower = {
    id: planned.id,
    metric: policy.metric,
    head: planned.head,
    slice: planned.slice,
    kind: policy.kind,
    n: rows,
    margin,
    scale: relative ? "relative" : "absolute",
    alpha,
    standardError: null,
    method: "",
    smallestChange: null,
    passes: null,
    rowsNeeded: null,
    rowsNeededAtMost: null,
    refused: null,
  };
  const definition = catalog.get(policy.metric);
  if (definition === undefined) return { ...result, method: "timed or counted, not estimated from rows" };
  if (sample === null)
    return { ...result, method: "no rows", refused: `no row of the dataset is in the slice ${planned.slice}` };
  const support = supportOf(sample);
  if (support.fewest < request.minimumPerClass) {
    const why = `${support.words}, and ${request.minimumPerClass} ${sample.classCount === 0 || sample.ofOneClass === true ? "" : "of each class "}are needed: about ${aboutRows((rows * request.minimumPerClass) / Math.max(1, support.fewest))} rows of this kind would do`;
    return { ...result, method: `too few rows: ${why}`, refused: request.onInsufficient === "fail" ? why : null };
  }
  const other = baseline === null ? null : sliceSample(baseline, planned.slice);
  const open = undecidable(policy, policy.kind === "limit" || other === null ? [sample] : [sample, other]);
  if (open !== null) return { ...result, method: open, refused: request.onInsufficient === "fail" ? open : null };
  const found = errorOf(policy, definition, sample, other, planned.level, request);
  if (found.standardError === null) return { ...result, method: found.method };
  const { standardError, method, truth } = found;
  const z = Math.max(normalQuantile(1 - alpha), found.quantile);
  const rule: Rule = {
    kind: policy.kind,
    margin,
    direction: definition.direction,
    limit:
      policy.kind === "limit"
        ? { min: policy.min ?? null, max: policy.max ?? null, confident: policy.confident }
        : null,
  };
  const smallestChange = smallestChangeOf(policy.kind, standardError, z);
  const passes = passProbability(rule, standardError, z, truth);
  const forMinimum = Math.ceil((rows * request.minimumPerClass) / Math.max(1, support.fewest));
  const needed = (change: number) =>
    margin === null || margin === 0 ? null : Math.max(rowsFor(margin, rows, change), forMinimum);
  const rowsNeeded = needed(smallestChange);
  // With one model at hand the other is assumed. Two trainings of one model agree less than two versions of it.
  const assumed = baseline === null && policy.kind !== "limit" && request.correlation < 1;
  const lessAlike = Math.sqrt((1 - lowCorrelation) / (1 - request.correlation));
  const rowsNeededAtMost = assumed && request.correlation > lowCorrelation ? needed(smallestChange * lessAlike) : null;
  const asks = policy.kind === "non-inferiority" || policy.kind === "equivalence";
  const refused =
    !asks || (margin as number) >= smallestChange
      ? null
      : `a margin of ${inScale(margin as number, relative)} cannot be reached with ${rows} rows: a candidate without any change would pass ${Math.floor(100 * passes)} % of the time. ${
          rowsNeeded === null
            ? "No number of rows shows a difference of exactly 0"
            : `About ${aboutRows(rowsNeeded)} rows of this kind would do${rowsNeededAtMost === null ? "" : ` (${aboutRows(rowsNeededAtMost)} where the two models' errors have a correlation of only ${lowCorrelation})`}`
        }, or a margin of ${inScale(roundUp(smallestChange), relative)}`;
  return { ...result, standardError, method, smallestChange, passes, rowsNeeded, rowsNeededAtMost, refused };
}

type ErrorFound =
  | {
      standardError: number;
      /** How many standard errors the interval reaches to either side; 0 where that is the normal quantile. */
      quantile: number;
      method: string;
      truth: number;
    }
  | { standardError: null; method: string };

function errorOf(
  policy: CheckPolicy,
  definition: MetricDefinition,
  candidate: Sample,
  baseline: Sample | null,
  level: number,
  request: PowerRequest,
): ErrorFound {
  const options: MeasureOptions = { level, seed: request.seed, ...metricOptionsOf(policy) };
  const valueOf = (sample: Sample): number => {
    const result = definition.measure(sample, { ...options, intervals: false });
    return result.status === "ok" ? result.value : Number.NaN;
  };
  const relative = policy.kind !== "limit" && typeof policy.margin !== "number";
  const paired = policy.kind !== "limit" && baseline !== null;
  const figure = paired
    ? definition.contrast(candidate, baseline, { ...options, scale: relative ? "relative" : "absolute" })
    : definition.measure(candidate, options);
  if (figure.status === "undefined") return { standardError: null, method: figure.reason };
  const own = valueOf(baseline ?? candidate);
  const closed = closedForm(figure.interval);
  const direct =
    closed === null
      ? resampledError(candidate, request.seed, (rows) => {
          // A value does not depend on clusters.
          const value = valueOf(selectRows({ ...candidate, groups: null }, rows));
          if (!paired) return value;
          const other = valueOf(selectRows({ ...baseline, groups: null }, rows));
          return relative ? value / other - 1 : value - other;
        })
      : closed.standardError;
  const method = closed === null ? "simulated: bootstrap of the rows" : closed.method;
  if (direct === null || !(direct > 0)) return { standardError: null, method: "no variation to estimate from" };
  const clusters = candidate.groups === null ? null : new Set(candidate.groups).size;
  if (paired || policy.kind === "limit")
    return {
      standardError: direct,
      quantile: closed === null && clusters !== null ? reachOf(figure.interval, direct) : 0,
      method,
      truth: policy.kind === "limit" ? own : 0,
    };
  if (relative && !(own > 0))
    return { standardError: null, method: `the value is ${own}: there is no relative change` };
  const ofDifference = (direct * Math.sqrt(2 * (1 - request.correlation))) / (relative ? own : 1);
  return {
    standardError: ofDifference,
    quantile: clusters === null || clusters < 2 ? 0 : studentQuantile(0.5 + level / 2, clusters - 1),
    method: `${method}, of one model; the other assumed like it, correlation ${request.correlation}`,
    truth: 0,
  };
}

/**
 * The standard error of an interval that has one in closed form: DeLong's variance, score intervals, and intervals of
 * means. For intervals by jackknife or percentiles it is null, and the error is simulated.
 */
function closedForm(interval: Interval | null): { standardError: number; method: string } | null {
  if (
    interval === null ||
    !/^(DeLong|Obuchowski|Tango|Wilson|BCa|ABC|jackknife, t over \d+ users)/.test(interval.method)
  )
    return null;
  return { standardError: standardErrorOf(interval), method: interval.method };
}

/** Half an interval's width in standard errors: over clusters it is t's quantile, and what its corrections add. */
function reachOf(interval: Interval | null, standardError: number): number {
  return interval === null ? 0 : (interval.high - interval.low) / 2 / standardError;
}

function inScale(value: number, relative: boolean): string {
  return relative ? `${Number((100 * value).toPrecision(3))} %` : String(Number(value.toPrecision(3)));
}
