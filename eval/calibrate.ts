import type { LoadedManifest } from "../models/core/predictor/load.ts";
import { prepare, type GateDeps, type GateRequest } from "./gate.ts";
import { readPair, type ModelPair } from "./gate/model-pair.ts";
import { withWorkDir } from "./gate/work-dir.ts";
import { judgePredictions } from "./judge/judge-predictions.ts";
import { measuredPair, type BaselinePredictions } from "./judge/quality-evidence.ts";
import { catalog } from "./metrics/catalog.ts";
import { assignRoles, redraw } from "./power/self-comparison.ts";
import type { Predictions } from "./predictions/predictions.ts";
import type { CalibratedCheck, CalibrationFile, ModelCalibration } from "./schema/calibration.ts";
import type { Check } from "./schema/verdict.ts";
import { quantileOfSorted } from "./stats/quantile.ts";
import { wilson } from "./stats/wilson.ts";
import { sluiceVersion } from "../models/core/version.ts";

export type CalibrateRequest = GateRequest & {
  /** Number of A/A gates to draw. */
  gates: number;
  /** Share of A/A gates that may be red. `holdingMargin` is the margin that keeps to it. */
  wantedRate: number;
};

/**
 * Runs the quality gate on A/A comparisons of this dataset. Each time, candidate and baseline are shuffled into two
 * models that do not differ, the rows are drawn anew, and the gate's own judge decides. Gives the false-alarm rate of
 * each relative check and of all of them together, and the margin that would keep to the wanted rate.
 *
 * @throws ConfigurationError; EvaluationError when a model cannot answer
 */
export function calibrateGate(request: CalibrateRequest, deps: GateDeps): Promise<CalibrationFile> {
  return withWorkDir(deps.env, (workDir) => calibrateIn(workDir, request, deps));
}

async function calibrateIn(workDir: string, request: CalibrateRequest, deps: GateDeps): Promise<CalibrationFile> {
  const { candidates, context } = await prepare(request, workDir, deps);
  const models: ModelCalibration[] = [];
  for (const loaded of candidates) models.push(calibrateModel(loaded, await readPair(loaded, context), request, deps));
  return {
    schemaVersion: 1,
    sluiceVersion,
    createdAt: deps.now().toISOString(),
    wantedRate: request.wantedRate,
    models,
  };
}

function calibrateModel(
  { manifest }: LoadedManifest,
  pair: ModelPair,
  request: CalibrateRequest,
  deps: GateDeps,
): ModelCalibration {
  const {
    candidate,
    baseline,
    paired,
    planned,
    same,
    mismatch,
    baselineFolder,
    exam: { gates },
  } = pair;
  const named = {
    model: manifest.id,
    candidate: candidate.identity.version,
    baseline: baseline?.identity.version ?? null,
  };
  const notDrawn = (why: string): ModelCalibration => ({
    ...named,
    gates: 0,
    why,
    notPass: null,
    fail: null,
    checks: [],
  });
  if (baseline === null)
    return notDrawn(`there is no baseline to shuffle the candidate with: ${mismatch ?? baselineFolder.source}`);
  if (same)
    return notDrawn(
      "the candidate is the baseline: every difference is exactly 0, and no such gate is ever red for chance",
    );
  const relative = planned.filter(
    ({ policy }) => (policy.kind === "non-inferiority" || policy.kind === "equivalence") && catalog.has(policy.metric),
  );
  if (relative.length === 0)
    return notDrawn("no check asks that predictions are not worse than, or like, the baseline's");

  const drawn: Check[][] = [];
  for (let gate = 0; gate < request.gates; gate++) {
    deps.signal?.throwIfAborted();
    deps.onEvent({ kind: "progress", model: manifest.id, stage: "A/A gates", done: gate, total: request.gates });
    const { ours, theirs } = shuffled(candidate.predictions, paired, request.seed, gate);
    drawn.push(judgePredictions(measuredPair(ours, theirs, request.seed + gate), relative, { gates }).checks);
  }
  const deciding = drawn.map((checks) => checks.filter((check) => !check.advisory));
  return {
    ...named,
    gates: request.gates,
    why: "On every row a coin decides which of the two models plays the candidate; rows are drawn anew for each gate, within their slices and classes",
    notPass: rateOf(
      deciding.filter((checks) => checks.some((check) => check.verdict !== "PASS")).length,
      request.gates,
    ),
    fail: rateOf(deciding.filter((checks) => checks.some((check) => check.verdict === "FAIL")).length, request.gates),
    checks: relative.map((_, i) =>
      calibrated(
        drawn.map((checks) => checks[i] as Check),
        request.wantedRate,
      ),
    ),
  };
}

function shuffled(
  candidate: ReadonlyMap<string, Predictions>,
  paired: ReadonlyMap<string, BaselinePredictions>,
  seed: number,
  gate: number,
) {
  const ours = new Map<string, Predictions>();
  const theirs = new Map<string, BaselinePredictions>();
  for (const [head, predictions] of candidate) {
    const other = paired.get(head);
    if (other?.kind !== "paired") continue;
    // Every head draws from the same stream, because a row is one row in all of them.
    const own = other.common ?? predictions;
    const cast = assignRoles(own, other.predictions, redraw(own, seed, gate));
    ours.set(head, cast.candidate);
    theirs.set(head, { kind: "paired", predictions: cast.baseline });
  }
  return { ours, theirs };
}

function calibrated(checks: readonly Check[], wantedRate: number): CalibratedCheck {
  const { id, metric, slice, kind, margin, scale } = checks[0] as Check;
  const count = (fits: (check: Check) => boolean) => rateOf(checks.filter(fits).length, checks.length);
  const needed = checks.flatMap(neededMargin).toSorted((a, b) => a - b);
  return {
    id,
    metric,
    slice,
    kind,
    margin,
    scale,
    notPass: count((check) => check.verdict !== "PASS"),
    fail: count((check) => check.verdict === "FAIL"),
    holdingMargin: needed.length < checks.length ? null : Math.max(0, quantileOfSorted(needed, 1 - wantedRate)),
  };
}

/** The margin beyond which this check would have passed; empty without an interval. */
function neededMargin({ kind, interval, direction }: Check): number[] {
  if (interval === null) return [];
  if (kind === "equivalence") return [Math.max(-interval.low, interval.high)];
  return [direction === "higher" ? -interval.low : interval.high];
}

function rateOf(count: number, trials: number): CalibratedCheck["notPass"] {
  return { count, rate: count / trials, ...wilson(count, trials, 0.95) };
}
