import { relative } from "node:path";
import { SluiceError } from "../../models/core/errors.ts";
import { locate } from "../../models/core/manifest/config-file.ts";
import { loadManifest, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { judgeCheck } from "../judge/judge-check.ts";
import { judgeModel } from "../judge/judge.ts";
import { headEvidence } from "../judge/quality-evidence.ts";
import { sliceNote } from "../judge/slice-regressions.ts";
import { smallSampleNote } from "../judge/small-sample.ts";
import { waive } from "../judge/waive.ts";
import { measure } from "../metrics/measure.ts";
import { catalog } from "../metrics/catalog.ts";
import { falseRedOfGate } from "../power/false-red.ts";
import { rowsNote } from "../power/rows-needed.ts";
import type { Shard } from "../dataset/shard.ts";
import type { PlotData } from "../report/content/plot-data.ts";
import type { Check, ModelVerdict } from "../schema/verdict.ts";
import type { ModelMetrics } from "../schema/metrics.ts";
import { findBaseline } from "./baseline.ts";
import type { EvaluationContext } from "./context.ts";
import { performanceDefinitions, performanceEvidence } from "./performance-evidence.ts";
import { pendingNotes } from "./waivers.ts";
import { blaming, readPair } from "./model-pair.ts";
import { receiptDrift } from "./receipt.ts";
import { runModelShard, writeModelPredictions, type ModelRun } from "./run-model.ts";
import { datasetNotes } from "./dataset-notes.ts";
import { readEvaluationDataset } from "./dataset.ts";

export type ModelEvaluation = { verdict: ModelVerdict; metrics: ModelMetrics[]; plots: PlotData[] };

/** One model from its manifest to its verdict. Never throws but on an abort: what goes wrong is the verdict ERROR. */
export async function evaluateModel(loaded: LoadedManifest, context: EvaluationContext): Promise<ModelEvaluation> {
  const { manifest } = loaded;
  try {
    return await evaluate(loaded, context);
  } catch (error) {
    context.deps.signal?.throwIfAborted();
    const words =
      error instanceof SluiceError ? error.message : `${(error as Error).name}: ${(error as Error).message}`;
    if (!(error instanceof SluiceError) && context.deps.env["SLUICE_DEBUG"] === "1")
      context.deps.onEvent({ kind: "note", text: String((error as Error).stack) });
    return {
      verdict: {
        model: { id: manifest.id, version: manifest.version, task: manifest.task, sha256: manifest.artifact.sha256 },
        baseline: null,
        baselineSource: "not reached",
        dataset: null,
        verdict: "ERROR",
        reason: words,
        checks: [],
        notes: [],
        policySource: "not reached",
        policyChanges: [],
      },
      metrics: [],
      plots: [],
    };
  }
}

async function evaluate(loaded: LoadedManifest, context: EvaluationContext): Promise<ModelEvaluation> {
  const { request, deps } = context;
  const { manifest } = loaded;
  const stage = (text: string) => deps.onEvent({ kind: "stage", model: manifest.id, stage: text });
  const notes: string[] = [];

  const {
    policy,
    baselineFolder,
    receipt,
    dataset,
    candidate,
    baseline,
    baselineLoaded,
    mismatch,
    same,
    paired,
    planned,
  } = await readPair(loaded, context);
  if (!candidate.batchParity.ok) notes.push(batchNote("candidate", candidate));
  if (baseline !== null && !baseline.batchParity.ok) notes.push(batchNote("baseline", baseline));
  if (same)
    notes.push(
      "The candidate is the baseline: weights, preprocessing and postprocessing are the same, so every difference in quality is exactly 0.",
    );
  else if (baseline !== null && baseline.identity.sha256 === candidate.identity.sha256)
    notes.push(
      "The candidate's weights are the baseline's, byte for byte; how rows go in or answers come out differs.",
    );

  stage("judging");
  const performance = await performanceEvidence(
    planned,
    {
      candidate: { loaded, run: candidate },
      baseline: baseline === null || baselineLoaded === null ? null : { loaded: baselineLoaded, run: baseline },
      withoutBaseline: { why: mismatch ?? baselineFolder.source, incomparable: mismatch !== null },
      dataset,
    },
    context,
  );
  const cautions: { metric: string; slice: string; caution: string }[] = [];
  const judgedChecks = planned.map((one): Check => {
    const figures = performance.evidence.get(one.id);
    const definition = performanceDefinitions[one.policy.metric] ?? catalog.get(one.policy.metric);
    const evidence =
      figures ??
      headEvidence(one, candidate.predictions, paired, {
        minimumPerClass: policy.gates.minimumPerClass,
        seed: request.seed,
      });
    if ("caution" in evidence && evidence.caution !== undefined)
      cautions.push({ metric: one.policy.metric, slice: one.slice, caution: evidence.caution });
    // Errors of a regression are in the unit of what it predicts, which only the manifest knows.
    const unit = definition?.unit === "label" ? unitOf(manifest, one.head) : (definition?.unit ?? "");
    return judgeCheck(one, evidence, {
      direction: definition?.direction ?? "higher",
      unit,
      onInsufficient: policy.gates.onInsufficient,
      declaredAt: declaredAt(loaded, one.index, request.root),
    });
  });

  const waived = waive(
    judgedChecks,
    context.waivers.counting.filter((one) => one.model === manifest.id),
    deps.now().toISOString().slice(0, 10),
  );
  const { checks } = waived;
  notes.push(...waived.notes, ...pendingNotes(context.waivers, manifest.id));

  const measurementsOf = (run: ModelRun) =>
    [...run.predictions.values()].flatMap((predictions) =>
      measure(predictions, predictions.task, predictions.head, {
        labelUnit: unitOf(manifest, predictions.head),
        level: 1 - 2 * policy.gates.alpha,
        seed: request.seed,
        intervals: true,
      }),
    );
  const summary = {
    id: dataset.id,
    digest: dataset.digest,
    rows: dataset.rows.length - candidate.refused,
    badRows: dataset.badRows.length + candidate.refused,
    ...(manifest.dataset?.provenance === undefined ? {} : { provenance: manifest.dataset.provenance }),
  };
  const metricsOf = (run: ModelRun, figures: ModelMetrics["performance"]): ModelMetrics => ({
    model: run.identity,
    role: run.role,
    dataset: summary,
    runner: run.runner,
    batchParity: {
      rows: run.batchParity.rows,
      maxDifference: run.batchParity.maxDifference,
      tolerance: run.batchParity.tolerance,
      ok: run.batchParity.ok,
    },
    measurements: measurementsOf(run),
    performance: figures,
  });

  const candidateMetrics = metricsOf(candidate, performance.candidate);
  const baselineMetrics = baseline === null ? null : metricsOf(baseline, performance.baseline);
  notes.push(...datasetNotes(manifest, candidateMetrics, baselineMetrics));
  const drift = baselineMetrics === null ? null : receiptDrift(receipt, baselineMetrics);
  if (drift !== null) notes.push(drift);
  await writeModelPredictions(request.out, manifest.id, [candidate, ...(baseline === null ? [] : [baseline])]);
  const regressed = sliceNote(checks);
  if (regressed !== null) notes.push(regressed);
  const caution = smallSampleNote(cautions);
  if (caution !== null) notes.push(caution);
  const wanted = rowsNote(checks);
  if (wanted !== null) notes.push(wanted);
  const expectedFalseRed = falseRedOfGate(checks);
  const judged = candidate.batchParity.ok
    ? judgeModel(checks)
    : { verdict: "ERROR" as const, reason: batchNote("candidate", candidate) };
  return {
    verdict: {
      model: candidate.identity,
      baseline: baseline?.identity ?? null,
      baselineSource: baselineFolder.source,
      dataset: summary,
      ...judged,
      checks,
      notes: [...notes, ...candidate.notes, ...(baseline?.notes ?? []), ...performance.notes],
      ...(expectedFalseRed === null ? {} : { expectedFalseRed }),
      policySource: policy.source,
      policyChanges: policy.changes,
    },
    metrics: baselineMetrics === null ? [candidateMetrics] : [candidateMetrics, baselineMetrics],
    plots: [...candidate.predictions].map(([head, predictions]): PlotData => {
      const other = paired.get(head);
      const declared = manifest.postprocess.find((one) => one.name === head);
      return {
        modelId: manifest.id,
        head,
        candidate: predictions,
        baseline: other?.kind === "paired" ? other.predictions : null,
        unit: declared?.kind === "regression" ? (declared.unit ?? "") : "",
      };
    }),
  };
}

/** One part of the rows, predicted by candidate and baseline. @returns the folders written */
export async function predictModelShard(
  loaded: LoadedManifest,
  shard: Shard,
  context: EvaluationContext,
): Promise<string[]> {
  const found = await findBaseline(context.reference, loaded.dir, context.request.root, context.production, {
    git: context.git,
    cacheDir: context.cacheDir,
  });
  const dataset = await readEvaluationDataset(loaded, context);
  const folders = [await runModelShard("candidate", loaded, dataset, loaded.manifest.id, shard, context)];
  if (found.found)
    folders.push(
      await blaming(
        "baseline",
        loadManifest(found.dir).then((baseline) =>
          runModelShard("baseline", baseline, dataset, loaded.manifest.id, shard, context),
        ),
      ),
    );
  return folders;
}

function batchNote(who: "candidate" | "baseline", run: ModelRun): string {
  const { maxDifference, tolerance, rows } = run.batchParity;
  const consequence =
    who === "candidate"
      ? "so no figure measured on it is defined; mask the padding in the graph"
      : "so it was evaluated row by row";
  return `The ${who}'s answers depend on the batch that a row is in (largest difference ${maxDifference.toPrecision(2)} over ${rows} rows, tolerance ${tolerance}), ${consequence}.`;
}

function unitOf(manifest: LoadedManifest["manifest"], head: string | null): string {
  const declared = manifest.postprocess.find((one) => one.name === head);
  return declared?.kind === "regression" ? (declared.unit ?? "") : "";
}

function declaredAt(loaded: LoadedManifest, index: number, root: string): Check["declaredAt"] {
  const position = locate(loaded.text, ["gates", "checks", index]) ?? locate(loaded.text, ["gates"]);
  return position === null ? null : { file: relative(root, loaded.file), line: position.line };
}
