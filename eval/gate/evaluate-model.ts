import { unseenProbability } from "../stats/rule-of-three.ts";
import { relative } from "node:path";
import { SluiceError } from "../../models/core/errors.ts";
import { augmentationColumn } from "../../models/core/manifest/augmentations.ts";
import { locate } from "../../models/core/manifest/config-file.ts";
import { loadManifest, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { modelIdentity } from "../../models/core/manifest/identity.ts";
import { worstOf } from "../judge/algebra.ts";
import { judgePredictions } from "../judge/judge-predictions.ts";
import { measuredPair } from "../judge/quality-evidence.ts";
import { measure, measurerOf, type Measurer } from "../metrics/measure.ts";
import { catalog } from "../metrics/catalog.ts";
import { augmentationWords } from "../dataset/augmentation-words.ts";
import { augmentationExamples } from "../augment/examples.ts";
import type { EvaluationDataset } from "../dataset/read.ts";
import type { Shard } from "../dataset/shard.ts";
import type { AugmentationExample } from "../report/content/augmentation-example.ts";
import type { PlotData } from "../report/content/plot-data.ts";
import { notReached, type Check, type ModelVerdict } from "../schema/verdict.ts";
import type { ModelMetrics } from "../schema/metrics.ts";
import type { EvaluationContext } from "./context.ts";
import { withCost } from "./answer-cost.ts";
import { describeDataChange, judgeDataChange, judgeRefusedRows, refusedRows } from "./data-change.ts";
import { resolveExam } from "./exam.ts";
import { findBaseline } from "./find-baseline.ts";
import { IncomparableError } from "./incomparable.ts";
import { wearOf } from "./judged-before.ts";
import { laterNote } from "./later-checks.ts";
import { performanceEvidence } from "./performance-evidence.ts";
import { performanceDefinitions } from "./performance-metrics.ts";
import { pendingNotes } from "./waivers.ts";
import { readPair, type ModelPair } from "./model-pair.ts";
import { profileOf, writeProfile } from "./profile.ts";
import { ruleNotes, rulesEffect } from "./rules-effect.ts";
import { receiptDrift } from "./production-receipt.ts";
import { runModelShard, writeModelPredictions, type ModelRun } from "./run-model.ts";
import { stepsNote } from "./step-figures.ts";
import { servedFeatures } from "./served-features.ts";
import { datasetNotes } from "./dataset-notes.ts";
import { withCulprit } from "./with-culprit.ts";

export type ModelEvaluation = {
  verdict: ModelVerdict;
  metrics: ModelMetrics[];
  plots: PlotData[];
  examples: AugmentationExample[];
};

/**
 * Takes one model from its manifest to its verdict: dataset → predictions → metrics → verdict. Throws only on an abort;
 * whatever else goes wrong gives the verdict ERROR.
 */
export async function evaluateModel(loaded: LoadedManifest, context: EvaluationContext): Promise<ModelEvaluation> {
  const { manifest } = loaded;
  try {
    return await evaluate(loaded, context);
  } catch (error) {
    context.deps.signal?.throwIfAborted();
    const message =
      error instanceof SluiceError ? error.message : `${(error as Error).name}: ${(error as Error).message}`;
    if (!(error instanceof SluiceError) && context.deps.env["SLUICE_DEBUG"] === "1")
      context.deps.onEvent({ kind: "note", text: String((error as Error).stack) });
    return {
      verdict: {
        model: modelIdentity(manifest),
        baseline: null,
        baselineSource: notReached,
        dataset: null,
        verdict: error instanceof IncomparableError ? "INCOMPARABLE" : "ERROR",
        reason: message,
        checks: [],
        notes: [],
        policySource: notReached,
        policyChanges: [],
      },
      metrics: [],
      plots: [],
      examples: [],
    };
  }
}

async function evaluate(own: LoadedManifest, context: EvaluationContext): Promise<ModelEvaluation> {
  const { request, deps } = context;
  const pair = await readPair(own, context);
  const { exam, loaded, baselineFolder, receipt, candidate, baseline, baselineLoaded, mismatch, paired, planned } =
    pair;
  const { manifest } = loaded;

  deps.onEvent({ kind: "stage", model: manifest.id, stage: "judging" });
  const performance = await performanceEvidence(
    planned,
    {
      candidate: { loaded, run: candidate },
      baseline: baseline === null || baselineLoaded === null ? null : { loaded: baselineLoaded, run: baseline },
      withoutBaseline: { why: mismatch ?? baselineFolder.source, incomparable: mismatch !== null },
      dataset: exam.dataset,
    },
    context,
  );

  const served = await servedFeatures(loaded, exam.dataset, context);
  const measured = measuredPair(candidate.predictions, paired, request.seed);
  const labelUnit = (head: string | null) => unitOf(manifest, head);
  const metricsOf = (run: ModelRun, measurers: Iterable<Measurer>, figures: ModelMetrics["performance"]) => ({
    ...describeRun(run, pair, manifest),
    measurements: [...measurers].flatMap((measurer) => {
      const { head } = measurer.predictions;
      return measure(measurer, head, { level: 1 - 2 * exam.gates.alpha, labelUnit: labelUnit(head) });
    }),
    performance: figures === null ? null : withCost(figures, context.configuration.ops, manifest),
  });
  const candidateMetrics = metricsOf(candidate, measured.candidate.values(), performance.candidate);
  // Measured on the baseline's own rows and classes, in its own order, whether or not they could be paired with the
  // candidate's.
  const baselineMetrics =
    baseline === null
      ? null
      : metricsOf(
          baseline,
          [...baseline.predictions.values()].map((predictions) => measurerOf(predictions, request.seed)),
          performance.baseline,
        );

  const continued = context.continuity.continues.get(manifest.id);
  const judged = judgePredictions(measured, planned, {
    gates: exam.gates,
    measuredElsewhere: performance.evidence,
    definitionOf: (metric) => performanceDefinitions[metric] ?? catalog.get(metric),
    labelUnit,
    declaredAt: ({ index }) => declaredAt(loaded, index, request.root),
    waivers: {
      waivers: context.waivers.counting.filter((one) => one.model === manifest.id || one.model === continued?.id),
      today: deps.now().toISOString().slice(0, 10),
    },
  });
  const distributions = profileOf(loaded, candidate, exam.dataset, candidateMetrics.measurements, exam.gates);
  const profile = await writeProfile(request.out, distributions);
  await writeModelPredictions(request.out, manifest.id, [candidate, ...(baseline === null ? [] : [baseline])]);

  const { rules: ruled } = candidate.identity;
  const effect =
    manifest.rules === undefined || ruled === undefined
      ? null
      : rulesEffect(manifest.rules, ruled, candidate, {
          level: 1 - 2 * exam.gates.alpha,
          seed: request.seed,
          unitOf: labelUnit,
        });

  const { dataChange } = exam;
  const changed = dataChange === null ? null : await describeDataChange(dataChange, pair, labelUnit, context);
  const notes = [
    ...(candidate.batchParity.ok ? [] : [batchNote("candidate", candidate)]),
    ...(baseline === null || baseline.batchParity.ok ? [] : [batchNote("baseline", baseline)]),
    fewRepeatsNote(candidate),
    stepsNote("candidate", candidate.steps),
    baseline === null ? null : stepsNote("baseline", baseline.steps),
    sameWeightsNote(pair),
    ...(effect === null ? [] : ruleNotes(effect, baseline?.identity.rules ?? null)),
    moreRowsNote(pair),
    ...judged.notes.scores,
    continued !== undefined && continued.id !== manifest.id
      ? `${manifest.id} is ${continued.id} under a new name (\`formerly\`), and takes its exam.`
      : null,
    ...exam.notes,
    ...(changed?.notes ?? []),
    baselineFolder.note,
    laterNote(pair, request.seed),
    ...pair.exam.dataset.notes,
    ...judged.notes.waivers,
    ...pendingNotes(context.waivers, manifest.id),
    ...datasetNotes(
      manifest,
      pair.exam.dataset.rows.map(({ row }) => row),
      candidateMetrics,
      baselineMetrics,
      distributions,
    ),
    baselineMetrics === null ? null : receiptDrift(receipt, baselineMetrics),
    judged.notes.regressedSlices,
    judged.notes.smallSamples,
    judged.notes.rowsNeeded,
    ...served.notes,
    ...candidate.notes,
    ...(baseline?.notes ?? []),
    ...performance.notes,
  ];
  const wear = await wearOf(manifest.id, candidate.identity.sha256, candidateMetrics.dataset, {
    git: context.git,
    releases: deps.releases,
  });
  const onRows = judgeRefusedRows(judged, refusedRows(pair));
  const onData = dataChange === null ? onRows : judgeDataChange(onRows, dataChange, exam.gates, exam.dataset);
  const { verdict, reason } = !candidate.batchParity.ok
    ? { verdict: "ERROR" as const, reason: batchNote("candidate", candidate) }
    : served.skew !== null
      ? { verdict: "ERROR" as const, reason: served.skew }
      : pair.elsewhere !== null && worstOf([onData.verdict, "INCOMPARABLE"]) === "INCOMPARABLE"
        ? { verdict: "INCOMPARABLE" as const, reason: pair.elsewhere }
        : onData;
  return {
    verdict: {
      model: candidate.identity,
      baseline: baseline?.identity ?? null,
      baselineSource: baselineFolder.source,
      dataset: candidateMetrics.dataset,
      verdict,
      reason,
      checks: judged.checks,
      notes: notes.filter((note) => note !== null),
      ...(judged.expectedFalseRed === null ? {} : { expectedFalseRed: judged.expectedFalseRed }),
      policySource: exam.source,
      policyChanges: exam.changes,
      ...augmentationsOf(exam.dataset),
      profile,
      ...(wear === null ? {} : { wear }),
      ...(effect === null ? {} : { rules: effect }),
      ...(changed === null ? {} : { datasetChange: changed.datasetChange }),
    },
    metrics: baselineMetrics === null ? [candidateMetrics] : [candidateMetrics, baselineMetrics],
    examples: await augmentationExamples(manifest.id, exam.dataset, manifest.preprocess),
    plots: [...candidate.predictions].map(([head, predictions]): PlotData => {
      const other = paired.get(head);
      return {
        modelId: manifest.id,
        head,
        candidate: (other?.kind === "paired" ? other.common : undefined) ?? predictions,
        baseline: other?.kind === "paired" ? other.predictions : null,
        unit: labelUnit(head),
      };
    }),
  };
}

/** What metrics.json says about a run besides its figures. */
function describeRun(
  run: ModelRun,
  { exam: { dataset }, candidate }: Pick<ModelPair, "exam" | "candidate">,
  manifest: LoadedManifest["manifest"],
): Omit<ModelMetrics, "measurements" | "performance"> {
  const { rows, comparisons, maxDifference, tolerance, ok, repeatable } = run.batchParity;
  const provenance = manifest.dataset?.provenance;
  return {
    model: run.identity,
    role: run.role,
    dataset: {
      id: dataset.id,
      digest: dataset.digest,
      rows: dataset.rows.length - candidate.refused,
      badRows: dataset.badRows.length + candidate.refused,
      ...(provenance === undefined ? {} : { provenance }),
    },
    runner: run.runner,
    batchParity: { rows, comparisons, maxDifference, tolerance, ok, repeatable },
    ...(run.steps.length === 0 ? {} : { steps: run.steps }),
  };
}

function augmentationsOf({ augmentations, copies }: EvaluationDataset): Pick<ModelVerdict, "augmentations"> {
  if (augmentations === undefined) return {};
  const rows = Map.groupBy(copies?.rows ?? [], ({ slices }) => slices[augmentationColumn]);
  return {
    augmentations: augmentations.map((one) => ({
      name: one.name,
      what: augmentationWords(one),
      rows: rows.get(one.name)?.length ?? 0,
    })),
  };
}

/** Names the rows that are in no comparison because the baseline refuses them. */
function moreRowsNote({ candidate, paired }: ModelPair): string | null {
  const more = new Set<string>();
  for (const [head, other] of paired) {
    if (other.kind !== "paired" || other.common === undefined) continue;
    const compared = new Set(other.common.ids);
    for (const id of candidate.predictions.get(head)?.ids ?? []) if (!compared.has(id)) more.add(id);
  }
  if (more.size === 0) return null;
  const some = [...more].slice(0, 5).join(", ");
  const rows = more.size === 1 ? "One row is" : `${more.size} rows are`;
  return `${rows} answered by the candidate and refused by the baseline (${some}${more.size > 5 ? ", …" : ""}): limits count them, comparisons are over the other ${candidate.predictions.values().next().value!.ids.length - more.size}.`;
}

function sameWeightsNote({ same, candidate, baseline }: ModelPair): string | null {
  if (same)
    return "The candidate is the baseline: weights, preprocessing and postprocessing are the same, so every difference in quality is exactly 0.";
  return baseline !== null && baseline.identity.sha256 === candidate.identity.sha256
    ? "The candidate's weights are the baseline's, byte for byte; how rows go in or answers come out differs."
    : null;
}

/**
 * Predicts one part of the rows with candidate and baseline.
 * @returns the folders written
 */
export async function predictModelShard(
  own: LoadedManifest,
  shard: Shard,
  context: EvaluationContext,
): Promise<string[]> {
  const exam = await resolveExam(own, context);
  const loaded = exam.applyTo(own);
  const { dataset } = exam;
  const found = await findBaseline(own, context);
  const folders = await runModelShard("candidate", loaded, dataset, loaded.manifest.id, shard, context);
  if (found.found)
    folders.push(
      ...(await withCulprit(
        "baseline",
        loadManifest(found.dir).then((baseline) =>
          runModelShard("baseline", exam.applyTo(baseline), dataset, loaded.manifest.id, shard, context),
        ),
      )),
    );
  return folders;
}

/** Says so where a slow model left no time to repeat as many rows as a difference in 1 % of answers needs. */
function fewRepeatsNote({ batchParity: { comparisons, ok } }: ModelRun): string | null {
  const share = unseenProbability(comparisons, 0.01);
  return ok && share > 0.0105
    ? `Only ${comparisons} rows were run twice in the time for it: answers that change from run to run would be found with probability 99 % if at least ${(100 * share).toPrecision(2)} % of them do.`
    : null;
}

function batchNote(who: "candidate" | "baseline", run: ModelRun): string {
  const { maxDifference, tolerance, rows, comparisons, repeatable } = run.batchParity;
  if (!repeatable)
    return `The ${who} answers the very same batch differently when it is run again (largest difference ${maxDifference.toPrecision(2)} over ${comparisons} rows, tolerance ${tolerance}), so no figure of it can be measured twice; export the graph for inference (model.eval()), without dropout or random numbers.`;
  const consequence =
    who === "candidate"
      ? "so no figure measured on it is defined; mask the padding in the graph"
      : "so it was evaluated row by row";
  return `The ${who}'s answers depend on the batch that a row is in (largest difference ${maxDifference.toPrecision(2)} over ${rows} rows, tolerance ${tolerance}), ${consequence}.`;
}

function unitOf(manifest: LoadedManifest["manifest"], head: string | null): string {
  const declared = manifest.postprocess.find((one) => one.name === head);
  return declared?.kind === "regression" || declared?.kind === "series" ? (declared.unit ?? "") : "";
}

function declaredAt(loaded: LoadedManifest, index: number, root: string): Check["declaredAt"] {
  const position = locate(loaded.text, ["gates", "checks", index]) ?? locate(loaded.text, ["gates"]);
  return position === null ? null : { file: relative(root, loaded.file), line: position.line };
}
