import { allRows, type PlannedCheck } from "./plan-checks.ts";
import type { Evidence } from "./evidence.ts";
import { smallSample } from "./small-sample.ts";
import { sampleOf, slicesOf, supportOf } from "../metrics/measure.ts";
import { catalog, type MeasureOptions } from "../metrics/catalog.ts";
import type { Predictions } from "../predictions/predictions.ts";

export type BaselinePredictions =
  /** `same`: candidate and baseline are one model by construction, so that no sampling stands between them. */
  | { kind: "paired"; predictions: Predictions; same?: boolean }
  | { kind: "none"; why: string }
  | { kind: "incomparable"; why: string };

export type QualityRequest = { minimumPerClass: number; seed: number };

/**
 * Gathers the evidence for one planned check on predictions. Pure.
 *
 * @param baseline rows in the candidate's order when paired (see `pairPredictions`)
 */
export function qualityEvidence(
  planned: PlannedCheck,
  candidate: Predictions,
  baseline: BaselinePredictions,
  request: QualityRequest,
): Evidence {
  const { policy } = planned;
  const definition = catalog.get(policy.metric);
  if (definition === undefined)
    return { kind: "missing", n: 0, why: `${policy.metric} is not a metric of predictions` };
  if (!definition.tasks.includes(candidate.task))
    return { kind: "missing", n: 0, why: `${policy.metric} is not defined for ${candidate.task}` };
  const rows = slicesOf(candidate).get(planned.slice);
  if (rows === undefined || rows.length === 0)
    return {
      kind: "missing",
      n: 0,
      why:
        planned.slice === allRows
          ? "the dataset has no rows"
          : `no row of the dataset is in the slice ${planned.slice}`,
    };

  const sample = sampleOf(candidate, rows);
  const options: MeasureOptions = {
    level: planned.level,
    seed: request.seed,
    ...(policy.threshold === undefined ? {} : { threshold: policy.threshold }),
    ...(policy.at === undefined ? {} : { at: policy.at }),
    ...(policy.k === undefined ? {} : { k: policy.k }),
  };
  const measured = definition.measure(sample, { ...options, intervals: policy.kind === "limit" });
  const observed = measured.status === "ok" ? measured.value : null;
  const n = rows.length;

  const support = supportOf(sample);
  const tooSmall =
    support.fewest < request.minimumPerClass
      ? `too few rows to decide: ${support.words}, and ${request.minimumPerClass} ${sample.classCount === 0 ? "" : "of each class "}are needed`
      : null;

  const baselineValue = (): number | null => {
    if (baseline.kind !== "paired") return null;
    const result = definition.measure(sampleOf(baseline.predictions, rows), { ...options, intervals: false });
    return result.status === "ok" ? result.value : null;
  };
  if (policy.kind === "limit") {
    if (measured.status === "undefined")
      return tooSmall === null
        ? { kind: "missing", n, why: measured.reason }
        : { kind: "insufficient", observed, baseline: null, difference: null, interval: null, n, why: tooSmall };
    if (tooSmall !== null)
      return {
        kind: "insufficient",
        observed,
        baseline: null,
        difference: null,
        interval: measured.interval,
        n,
        why: tooSmall,
      };
    return {
      kind: "value",
      observed: measured.value,
      baseline: baselineValue(),
      interval: measured.interval,
      n,
      ...cautionOf(policy.confident ? smallSample(policy.metric, [sample]) : null),
    };
  }

  if (baseline.kind === "none") return { kind: "no-baseline", observed, n, why: baseline.why };
  if (baseline.kind === "incomparable") return { kind: "incomparable", observed, n, why: baseline.why };
  // A change that leaves the model as it is (its card, its gates) differs by exactly 0, on however few rows.
  if (baseline.same === true && measured.status === "ok" && baselineValue() === measured.value) {
    return {
      kind: "contrast",
      observed: measured.value,
      baseline: measured.value,
      difference: 0,
      interval: { low: 0, high: 0, level: planned.level, method: "the same model" },
      n,
    };
  }
  const other = sampleOf(baseline.predictions, rows);
  const result = definition.contrast(sample, other, {
    ...options,
    scale: typeof policy.margin === "number" ? "absolute" : "relative",
  });
  if (tooSmall !== null) {
    return result.status === "ok"
      ? {
          kind: "insufficient",
          observed: result.candidate,
          baseline: result.baseline,
          difference: result.difference,
          interval: result.interval,
          n,
          why: tooSmall,
        }
      : { kind: "insufficient", observed, baseline: null, difference: null, interval: null, n, why: tooSmall };
  }
  if (result.status === "undefined") return { kind: "missing", n, why: result.reason };
  return {
    kind: "contrast",
    observed: result.candidate,
    baseline: result.baseline,
    difference: result.difference,
    interval: result.interval,
    n,
    ...cautionOf(smallSample(policy.metric, [sample, other])),
  };
}

function cautionOf(caution: string | null): { caution?: string } {
  return caution === null ? {} : { caution };
}

/** Evidence for a check on one head; a head without labels in the dataset has none. */
export function headEvidence(
  planned: PlannedCheck,
  candidate: ReadonlyMap<string, Predictions>,
  paired: ReadonlyMap<string, BaselinePredictions>,
  request: QualityRequest,
): Evidence {
  const predictions = candidate.get(planned.head ?? "");
  const baseline = paired.get(planned.head ?? "");
  if (predictions === undefined || baseline === undefined)
    return { kind: "missing", n: 0, why: `the dataset has no labels for the head ${planned.head}` };
  return qualityEvidence(planned, predictions, baseline, request);
}
