import { augmentationColumn } from "../../models/core/manifest/augmentations.ts";
import { loadManifest, type LoadedManifest } from "../../models/core/predictor/load.ts";
import type { Head } from "../../models/core/postprocess/schema.ts";
import { fieldSteps } from "../../models/core/rules/fields.ts";
import { classesIn } from "../dataset/class-values.ts";
import { planChecks, type PlannedCheck } from "../judge/plan-checks.ts";
import type { BaselinePredictions } from "../judge/quality-evidence.ts";
import { pairPredictions } from "../predictions/pair.ts";
import type { Predictions } from "../predictions/predictions.ts";
import type { ProductionReceipt } from "../schema/production-receipt.ts";
import { onCommonRows } from "./common-rows.ts";
import { findBaseline, type BaselineFolder } from "./find-baseline.ts";
import type { EvaluationContext } from "./context.ts";
import { resolveExam, type Exam } from "./exam.ts";
import { headFor } from "./heads.ts";
import { readProductionReceipt, receiptMismatch } from "./production-receipt.ts";
import { runModel, type ModelRun } from "./run-model.ts";
import { isSameModel } from "./same-model.ts";
import { withCulprit } from "./with-culprit.ts";

/**
 * Candidate and baseline on the same rows, with the planned checks. A gate judges this, and a plan forecasts from it.
 */
export type ModelPair = {
  exam: Exam;
  /** The candidate's manifest, as the exam judges it. */
  loaded: LoadedManifest;
  baselineFolder: BaselineFolder;
  receipt: ProductionReceipt | null;
  candidate: ModelRun;
  baseline: ModelRun | null;
  baselineLoaded: LoadedManifest | null;
  /** Why the baseline may not be compared; null when it may, or when there is none. */
  mismatch: string | null;
  /** Why answers that other jobs predicted may not be compared; null when they may. */
  elsewhere: string | null;
  /** Whether candidate and baseline are the same model by construction; see `isSameModel`. */
  same: boolean;
  /** Head → the baseline's predictions in the candidate's row order, or why there are none. */
  paired: Map<string, BaselinePredictions>;
  planned: PlannedCheck[];
};

export async function readPair(own: LoadedManifest, context: EvaluationContext): Promise<ModelPair> {
  context.deps.onEvent({ kind: "stage", model: own.manifest.id, stage: "reading the dataset" });
  const exam = await resolveExam(own, context);
  const loaded = exam.applyTo(own);
  const { manifest } = loaded;
  const { dataset } = exam;
  // Before anything runs, so that a metric that no head has costs no run.
  const sliceValues = {
    ...Object.fromEntries(
      (manifest.dataset?.slices ?? []).map((column) => [
        column,
        [...new Set(dataset.rows.map((row) => row.slices[column] as string))],
      ]),
    ),
    // Also those of which no row was drawn, so that they do not vanish.
    [augmentationColumn]: (dataset.augmentations ?? []).map(({ name }) => name),
  };
  const planned = planChecks(
    exam.gates,
    sliceValues,
    (check) => headFor(check, exam.gates.checks.indexOf(check), manifest, loaded.file),
    manifest.postprocess.length > 1,
    (head) => classesIn(dataset, head ?? ""),
  );
  const baselineFolder = await findBaseline(own, context);
  const baselineLoaded = baselineFolder.found
    ? exam.applyTo(await withCulprit("baseline", loadManifest(baselineFolder.dir)))
    : null;
  const receipt = baselineFolder.found
    ? await withCulprit("baseline", readProductionReceipt(baselineFolder.dir))
    : null;

  const candidate = await runModel("candidate", loaded, dataset, manifest.id, context);
  const mismatch =
    baselineLoaded === null
      ? null
      : (incomparableManifests(loaded, baselineLoaded) ?? receiptMismatch(receipt, baselineLoaded.manifest));
  const baseline =
    baselineLoaded === null || mismatch !== null
      ? null
      : await withCulprit("baseline", runModel("baseline", baselineLoaded, dataset, manifest.id, context));
  const elsewhere = candidate.elsewhere ?? baseline?.elsewhere ?? null;
  const same =
    baseline !== null &&
    baselineLoaded !== null &&
    isSameModel({ loaded, run: candidate }, { loaded: baselineLoaded, run: baseline });

  const paired = new Map(
    [...candidate.predictions].map(
      ([head, predictions]) =>
        [
          head,
          pairHead(
            predictions,
            baseline?.predictions.get(head),
            mismatch ?? elsewhere,
            baseline === null ? baselineFolder.source : `the baseline has no head ${head}`,
            same,
            (other) =>
              baselineLoaded === null
                ? null
                : onCommonRows(predictions, other, fieldSteps(baselineLoaded.manifest), dataset),
          ),
        ] as const,
    ),
  );
  return {
    exam,
    loaded,
    baselineFolder,
    receipt,
    candidate,
    baseline,
    baselineLoaded,
    mismatch,
    elsewhere,
    same,
    paired,
    planned,
  };
}

/** Why two models cannot be compared, whatever they answer; null when they can. */
function incomparableManifests(candidate: LoadedManifest, baseline: LoadedManifest): string | null {
  const [ours, theirs] = [candidate.manifest, baseline.manifest];
  if (ours.task !== theirs.task) return `the baseline's task is ${theirs.task}, the candidate's ${ours.task}`;
  const labelled = ours.postprocess.filter((head) => ours.dataset?.labels[head.name] !== undefined);
  const shared = labelled.flatMap((head) =>
    theirs.postprocess.filter((other) => other.name === head.name).map((other) => ({ head, other })),
  );
  if (shared.length === 0)
    return `the baseline has none of the heads ${labelled.map((head) => head.name).join(", ")}; it has ${theirs.postprocess.map((head) => head.name).join(", ")}`;
  const labelsOf = (head: Head) => (head.kind === "classification" ? head.labels.toSorted().join(", ") : head.kind);
  const unlike = shared.find(({ head, other }) => labelsOf(head) !== labelsOf(other));
  return unlike === undefined
    ? null
    : `the head ${unlike.head.name} answers ${labelsOf(unlike.other)} in the baseline and ${labelsOf(unlike.head)} in the candidate`;
}

function pairHead(
  candidate: Predictions,
  baseline: Predictions | undefined,
  mismatch: string | null,
  source: string,
  same: boolean,
  onCommon: (baseline: Predictions) => Predictions | null,
): BaselinePredictions {
  if (mismatch !== null) return { kind: "incomparable", why: mismatch };
  if (baseline === undefined) return { kind: "none", why: source };
  const common = onCommon(baseline);
  const pairing = pairPredictions(common ?? candidate, baseline);
  return pairing.status === "paired"
    ? { kind: "paired", predictions: pairing.baseline, same, ...(common === null ? {} : { common }) }
    : { kind: "incomparable", why: pairing.reason };
}
