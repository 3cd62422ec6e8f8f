import { allRows, type PlannedCheck } from "./plan-checks.ts";
import type { Evidence } from "./evidence.ts";
import { undecidable } from "../power/undecidable.ts";
import { smallSample } from "./small-sample.ts";
import { catalog, type Sample } from "../metrics/catalog.ts";
import { measurerOf, supportOf, type Measurer } from "../metrics/measure.ts";
import type { Predictions } from "../predictions/predictions.ts";
import { metricOptionsOf } from "../../models/core/manifest/metric-options.ts";

export type BaselinePredictions =
  /**
   * Rows in the candidate's order (see `pairPredictions`). `same`: candidate and baseline are the same model by
   * construction, so there is no sampling error between them. `common`: the candidate on the baseline's rows, where it
   * answers more; `predictions` are in its order then.
   */
  | { kind: "paired"; predictions: Predictions; same?: boolean; common?: Predictions }
  | { kind: "none"; why: string }
  | { kind: "incomparable"; why: string };

type MeasuredBaseline =
  /** `candidate`: what is compared with `measurer`; null: the candidate as it is. */
  | { kind: "paired"; measurer: Measurer; same: boolean; candidate: Measurer | null }
  | Exclude<BaselinePredictions, { kind: "paired" }>;

/** Candidate and baseline, head by head, ready to be measured. */
export type MeasuredPair = {
  candidate: ReadonlyMap<string, Measurer>;
  baseline: ReadonlyMap<string, MeasuredBaseline>;
};

export function measuredPair(
  candidate: ReadonlyMap<string, Predictions>,
  baseline: ReadonlyMap<string, BaselinePredictions>,
  seed: number,
): MeasuredPair {
  const measured = (one: BaselinePredictions): MeasuredBaseline =>
    one.kind === "paired"
      ? {
          kind: "paired",
          measurer: measurerOf(one.predictions, seed),
          same: one.same === true,
          candidate: one.common === undefined ? null : measurerOf(one.common, seed),
        }
      : one;
  return {
    candidate: new Map([...candidate].map(([head, predictions]) => [head, measurerOf(predictions, seed)])),
    baseline: new Map([...baseline].map(([head, one]) => [head, measured(one)])),
  };
}

/**
 * Gathers the evidence for one planned check on predictions. Pure. A head without labels in the dataset gives none. A
 * check that names no head is about the head "".
 */
export function qualityEvidence(planned: PlannedCheck, pair: MeasuredPair, minimumPerClass: number): Evidence {
  const candidate = pair.candidate.get(planned.head ?? "");
  const baseline = pair.baseline.get(planned.head ?? "");
  if (candidate === undefined || baseline === undefined)
    return { kind: "missing", n: 0, why: `the dataset has no labels for the head ${planned.head}` };
  return evidenceOfHead(planned, candidate, baseline, minimumPerClass);
}

function evidenceOfHead(
  planned: PlannedCheck,
  whole: Measurer,
  baseline: MeasuredBaseline,
  minimumPerClass: number,
): Evidence {
  const { policy } = planned;
  // A limit is about every row that the candidate answers, a comparison about those that both do.
  const common = policy.kind !== "limit" && baseline.kind === "paired" ? baseline.candidate : null;
  const candidate = common ?? whole;
  const definition = catalog.get(policy.metric);
  if (definition === undefined)
    return { kind: "missing", n: 0, why: `${policy.metric} is not a metric of predictions` };
  const { task } = candidate.predictions;
  if (!definition.tasks.includes(task))
    return { kind: "missing", n: 0, why: `${policy.metric} is not defined for ${task}` };
  if (definition.rules?.kinds.includes(policy.kind) === false)
    return { kind: "missing", n: 0, why: `${policy.kind} cannot decide on ${policy.metric}: ${definition.rules.why}` };
  const sample = candidate.sample(planned.slice);
  if (sample === null && common !== null && whole.sample(planned.slice) !== null)
    return { kind: "incomparable", observed: null, n: 0, why: `the baseline answers no row of ${planned.slice}` };
  if (sample === null)
    return {
      kind: "missing",
      n: 0,
      why:
        planned.slice === allRows
          ? "the dataset has no rows"
          : `no row of the dataset is in the slice ${planned.slice}`,
    };

  const options = metricOptionsOf(policy);
  const measured = candidate.figure(definition, planned.slice, options, policy.kind === "limit" ? planned.level : null);
  const observed = measured.status === "ok" ? measured.value : null;
  const n = sample.labels.length;

  const support = supportOf(sample);
  const other = baseline.kind === "paired" ? baseline.measurer.sample(planned.slice) : null;
  const tooSmall =
    support.fewest < minimumPerClass
      ? `too few rows to decide: ${support.words}, and ${minimumPerClass} ${sample.classCount === 0 || sample.ofOneClass === true ? "" : "of each class "}are needed`
      : undecidable(policy, policy.kind === "limit" || other === null ? [sample] : [sample, other]);

  const baselineValue = (): number | null => {
    if (baseline.kind !== "paired") return null;
    const result = baseline.measurer.figure(definition, planned.slice, options, null);
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
  // A change that leaves the model as it is (only its card or its gates change) differs by exactly 0, on however few
  // rows.
  if (baseline.same && measured.status === "ok" && baselineValue() === measured.value) {
    return {
      kind: "contrast",
      observed: measured.value,
      baseline: measured.value,
      difference: 0,
      interval: { low: 0, high: 0, level: planned.level, method: "the same model" },
      n,
    };
  }
  const result = definition.contrast(sample, other as Sample, {
    ...options,
    level: planned.level,
    seed: candidate.seed,
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
    ...(result.discordant === undefined ? {} : { discordant: result.discordant }),
    ...cautionOf(smallSample(policy.metric, [sample, other as Sample])),
  };
}

function cautionOf(caution: string | null): { caution?: string } {
  return caution === null ? {} : { caution };
}
