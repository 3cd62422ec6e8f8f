import type { LoadedManifest } from "../models/core/predictor/load.ts";
import { openPredictor } from "../models/core/predictor/predictor.ts";
import { prepare, type GateDeps, type GateRequest } from "./gate.ts";
import { judgedStores } from "./gate/judged-stores.ts";
import { performanceMetrics } from "./gate/performance-metrics.ts";
import { readPair, type ModelPair } from "./gate/model-pair.ts";
import { proposeThresholds, type ThresholdRequest } from "./gate/plan-threshold.ts";
import { withWorkDir } from "./gate/work-dir.ts";
import { defaultCapMs } from "./latency/latency-comparison.ts";
import { combine } from "./power/false-red.ts";
import { planCheck } from "./power/plan-check.ts";
import { power } from "./power/rows-needed.ts";
import type { ModelPlan, PlanFile } from "./schema/plan.ts";
import { sluiceVersion } from "../models/core/version.ts";

export type PlanRequest = GateRequest & {
  /** Correlation of two models' errors, used when there is no second model that answers differently. */
  correlation: number;
  /** Propose a threshold, too. */
  threshold?: ThresholdRequest;
};

/** Number of rows that are timed to estimate how long a gate takes. */
const timedRows = 128;

/**
 * What each check of each model can decide on its dataset: smallest change, expected false-red rate, expected minutes.
 * Predicts with candidate and baseline where the cache has nothing yet. Judges nothing and writes no report.
 *
 * @throws ConfigurationError; EvaluationError when a model cannot answer
 */
export function planGate(request: PlanRequest, deps: GateDeps): Promise<PlanFile> {
  return withWorkDir(deps.env, (workDir) => planIn(workDir, request, deps));
}

async function planIn(workDir: string, request: PlanRequest, deps: GateDeps): Promise<PlanFile> {
  const { candidates, context } = await prepare(request, workDir, deps);
  const models: ModelPlan[] = [];
  for (const loaded of candidates) {
    const pair = await readPair(loaded, context);
    deps.onEvent({ kind: "stage", model: loaded.manifest.id, stage: "timing some rows" });
    const seconds = await secondsToPredict(loaded, pair, context.cacheDir, deps);
    deps.onEvent({ kind: "stage", model: loaded.manifest.id, stage: "planning" });
    const plan = planModel(loaded, pair, request, seconds);
    models.push(
      request.threshold === undefined
        ? plan
        : { ...plan, thresholds: await proposeThresholds(request.threshold, pair, loaded, request.seed, context) },
    );
  }
  return { schemaVersion: 1, sluiceVersion, createdAt: deps.now().toISOString(), power, models };
}

function planModel({ manifest }: LoadedManifest, pair: ModelPair, request: PlanRequest, seconds: number): ModelPlan {
  const {
    exam: { gates, dataset, source, changes },
    planned,
    candidate,
    baseline,
    paired,
    same,
  } = pair;
  const checks = planned.map((one) => {
    const predictions = candidate.predictions.get(one.head ?? "") ?? [...candidate.predictions.values()][0];
    const other = paired.get(one.head ?? "");
    if (predictions === undefined) throw new Error("a dataset without labels was let through");
    const common = other?.kind === "paired" && one.policy.kind !== "limit" ? other.common : undefined;
    return planCheck(one, common ?? predictions, other?.kind === "paired" && !same ? other.predictions : null, {
      minimumPerClass: gates.minimumPerClass,
      onInsufficient: gates.onInsufficient,
      seed: request.seed,
      correlation: request.correlation,
    });
  });
  const rates = checks.map(({ id, kind, passes }) => ({
    id,
    rate: kind === "superiority" || passes === null ? null : 1 - passes,
  }));
  const expectedFalseRed = combine(rates, checks.length);
  const timed = planned.some(
    ({ policy }) =>
      performanceMetrics.has(policy.metric) && policy.metric.startsWith("latency_") && policy.kind !== "limit",
  );
  return {
    model: manifest.id,
    candidate: candidate.identity.version,
    baseline: baseline?.identity.version ?? null,
    dataset: { id: dataset.id, digest: dataset.digest, rows: dataset.rows.length },
    policySource: source,
    policyChanges: changes,
    assumption:
      baseline !== null && !same
        ? "a candidate that answers as differently from the baseline as this one does"
        : `there is only one model to look at (${same ? "the candidate is the baseline" : (pair.mismatch ?? noBaseline(pair.baselineFolder.source))}), so the errors of the two are assumed to have a correlation of ${request.correlation}, as versions of one model do (--correlation)`,
    checks,
    ...(expectedFalseRed === null ? {} : { expectedFalseRed }),
    expectedMinutes: {
      predicting: (seconds * (baseline === null ? 1 : 2)) / 60,
      timingAtMost: timed && baseline !== null ? defaultCapMs / 60_000 : 0,
    },
  };
}

const noBaseline = (source: string) => (source.startsWith("none") ? "no baseline was asked for" : source);

/**
 * Predictions come from the cache, so their time says nothing. Some rows are predicted again, and the time is scaled
 * up.
 */
async function secondsToPredict(
  loaded: LoadedManifest,
  { exam: { dataset } }: ModelPair,
  cacheDir: string,
  deps: GateDeps,
): Promise<number> {
  const opened = performance.now();
  const stores = judgedStores(loaded, dataset);
  const predictor = await openPredictor(loaded, { stores }, { env: deps.env, fetch: deps.fetch, cacheDir });
  try {
    await predictor.warmUp();
    const opening = performance.now() - opened;
    const rows = dataset.rows.slice(0, timedRows).map(({ row }) => row);
    const started = performance.now();
    await predictor.predict(rows, { batch: loaded.manifest.runtime.batch, sort: loaded.manifest.runtime.sortByLength });
    const all = dataset.rows.length + (dataset.copies?.rows.length ?? 0);
    return (opening + ((performance.now() - started) * all) / rows.length) / 1000;
  } finally {
    await predictor.close();
  }
}
