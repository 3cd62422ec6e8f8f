import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename, extname } from "node:path";
import { pipeline } from "node:stream/promises";
import { augmentationColumn } from "../models/core/manifest/augmentations.ts";
import { classColumn, gates as gatesSchema, type CheckPolicy } from "../models/core/manifest/gates.ts";
import type { Task } from "../models/core/manifest/manifest.ts";
import type { MetricOptions } from "../models/core/manifest/metric-options.ts";
import { removeReports, writeOutputs, type OutputFiles } from "./gate/outputs.ts";
import { answerNotes } from "./judge/answer-notes.ts";
import { judgePredictions } from "./judge/judge-predictions.ts";
import { judgeRun } from "./judge/judge.ts";
import { planChecks } from "./judge/plan-checks.ts";
import { measuredPair, type BaselinePredictions } from "./judge/quality-evidence.ts";
import type { TextOptions } from "./dataset/formats/open.ts";
import { catalog, metricsFor } from "./metrics/catalog.ts";
import { requireOfOneClass } from "./metrics/of-one-class.ts";
import { requireReadOptions } from "./metrics/unread-options.ts";
import { measure, measurerOf, type Measurer, type MeasureRequest } from "./metrics/measure.ts";
import { unscaledNote } from "./metrics/mase.ts";
import { pairPredictions } from "./predictions/pair.ts";
import { readPredictions } from "./predictions/read.ts";
import type { Predictions } from "./predictions/predictions.ts";
import { rowCount } from "./predictions/row-count.ts";
import { rowsDigest } from "./predictions/rows-digest.ts";
import type { MetricsFile, ModelMetrics } from "./schema/metrics.ts";
import type { ModelIdentity, VerdictFile } from "./schema/verdict.ts";
import { sluiceVersion } from "../models/core/version.ts";

export type PredictionFile = {
  file: string;
  task: Task;
  positive?: string;
  naiveScale?: number;
  catalogueSize?: number;
  slices?: readonly string[];
  /** What is declared about the file's text. */
  text?: TextOptions;
};

export type CompareRequest = {
  candidate: string;
  baseline: string;
  task: Task;
  policies: CheckPolicy[];
  alpha: number;
  minimumPerClass: number;
  positive?: string;
  /** The divisor of MASE, for files that do not give one per row. */
  naiveScale?: number;
  /** Items that could be ranked. */
  catalogueSize?: number;
  /** What is declared about the text of both files. */
  text?: TextOptions;
  out: string;
  /** Folder below which no symbolic link may lead `out` elsewhere. */
  checkout: string;
  seed: number;
  /** Flags of the command line, for the report to repeat. */
  flags?: readonly string[];
};

export type FileDeps = { now: () => Date; onNote: (text: string) => void };

/** Judges two prediction files of any framework as the gate would, and writes the same four files. */
export async function compareFiles(
  request: CompareRequest,
  deps: FileDeps,
): Promise<{ verdict: VerdictFile; metrics: MetricsFile; files: OutputFiles }> {
  const { task } = request;
  for (const policy of request.policies) {
    const definition = catalog.get(policy.metric);
    if (definition !== undefined) requireReadOptions([definition], policy, `--metric ${policy.metric}`);
    requireOfOneClass(policy, `--metric ${policy.metric}`);
  }
  // No older result may pass for this one. A gate's predictions in the same folder may be what is compared.
  await removeReports(request.checkout, request.out);
  // Classes are no column of their own.
  const slices = [...new Set(request.policies.flatMap((policy) => policy.slices))].filter(
    (column) => column !== classColumn,
  );
  const options = {
    task,
    slices,
    ...(request.positive === undefined ? {} : { positive: request.positive }),
    ...(request.naiveScale === undefined ? {} : { naiveScale: request.naiveScale }),
    ...(request.catalogueSize === undefined ? {} : { catalogueSize: request.catalogueSize }),
    ...(request.text === undefined ? {} : { text: request.text }),
  };
  const candidate = await readPredictions(request.candidate, options);
  // A slice that the baseline lacks makes the two incomparable, which the pairing says.
  const baseline = await readPredictions(request.baseline, {
    ...options,
    absentSlices: "leave out",
    sameRowsAs: candidate.predictions,
  });
  for (const note of new Set([...candidate.notes, ...baseline.notes])) deps.onNote(note);

  const pairing = pairPredictions(candidate.predictions, baseline.predictions);
  const paired: BaselinePredictions =
    pairing.status === "paired"
      ? { kind: "paired", predictions: pairing.baseline }
      : { kind: "incomparable", why: pairing.reason };
  const gates = gatesSchema.parse({
    alpha: request.alpha,
    minimumPerClass: request.minimumPerClass,
    checks: request.policies,
  });
  const values = Object.fromEntries(
    slices.map((column) => {
      const of = column === augmentationColumn ? candidate.predictions.copies : candidate.predictions;
      return [column, [...new Set(of?.slices[column] ?? [])]];
    }),
  );
  const pair = measuredPair(new Map([["", candidate.predictions]]), new Map([["", paired]]), request.seed);
  const judged = judgePredictions(
    pair,
    planChecks(
      gates,
      values,
      () => null,
      false,
      () => candidate.predictions.classes.filter((_, k) => candidate.predictions.labels.includes(k)),
    ),
    { gates },
  );
  const { checks, expectedFalseRed, notes } = judged;
  const identity = {
    candidate: await identify(request.candidate, task),
    baseline: await identify(request.baseline, task),
  };
  const dataset = summary(candidate.predictions);
  const baselineDataset = pairing.status === "paired" ? dataset : summary(baseline.predictions);
  const createdAt = deps.now().toISOString();
  const summaries = [...notes.scores, notes.regressedSlices, notes.smallSamples].filter((note) => note !== null);
  const model = {
    model: identity.candidate,
    baseline: identity.baseline,
    baselineSource: request.baseline,
    dataset,
    verdict: judged.verdict,
    reason: judged.reason,
    checks,
    notes: [...new Set([...candidate.notes, ...baseline.notes]), ...summaries],
    ...(expectedFalseRed === null ? {} : { expectedFalseRed }),
    policySource: "the command line",
    policyChanges: [],
  };
  const verdict: VerdictFile = {
    schemaVersion: 1,
    ...judgeRun([model]),
    commit: null,
    ...(request.flags === undefined ? {} : { reproduce: { command: "compare", flags: [...request.flags] } }),
    sluiceVersion,
    createdAt,
    models: [model],
  };
  const level = 1 - 2 * request.alpha;
  const baselineHead = pair.baseline.get("");
  const measuredHeads = [
    { role: "candidate" as const, measurer: pair.candidate.get("") as Measurer, dataset },
    ...(baselineHead?.kind === "paired"
      ? [{ role: "baseline" as const, measurer: baselineHead.measurer, dataset: baselineDataset }]
      : []),
  ];
  const metrics: MetricsFile = {
    schemaVersion: 1,
    sluiceVersion,
    createdAt,
    models: measuredHeads.map(({ role, measurer, dataset }) =>
      metricsOf(identity[role], role, measurer, dataset, { level, only: request.policies }),
    ),
  };
  const files = await writeOutputs(request.out, verdict, metrics, [
    {
      modelId: identity.candidate.id,
      head: candidate.predictions.head,
      candidate: candidate.predictions,
      baseline: pairing.status === "paired" ? pairing.baseline : null,
      unit: "",
    },
  ]);
  return { verdict, metrics, files };
}

/** Every metric of the task on one prediction file, with intervals and without a verdict. */
export async function measureFile(
  request: PredictionFile & { level: number; seed: number; options?: MetricOptions },
  deps: FileDeps,
): Promise<MetricsFile> {
  requireReadOptions(metricsFor(request.task), request.options ?? {}, `--task ${request.task}`);
  const { predictions, notes } = await readPredictions(request.file, {
    task: request.task,
    ...(request.positive === undefined ? {} : { positive: request.positive }),
    ...(request.slices === undefined ? {} : { slices: request.slices }),
    ...(request.naiveScale === undefined ? {} : { naiveScale: request.naiveScale }),
    ...(request.catalogueSize === undefined ? {} : { catalogueSize: request.catalogueSize }),
    ...(request.text === undefined ? {} : { text: request.text }),
    largestSliceCount,
  });
  const measurer = measurerOf(predictions, request.seed);
  const unscaled = unscaledNote(predictions);
  for (const note of [...notes, ...(unscaled === null ? [] : [unscaled]), ...answerNotes("file", measurer)])
    deps.onNote(note);
  return {
    schemaVersion: 1,
    sluiceVersion,
    createdAt: deps.now().toISOString(),
    models: [
      metricsOf(await identify(request.file, request.task), "candidate", measurer, summary(predictions), {
        level: request.level,
        ...(request.options === undefined ? {} : { options: request.options }),
      }),
    ],
  };
}

/** A column with more values than this holds texts or numbers, not slices that anybody would measure one by one. */
const largestSliceCount = 1000;

function metricsOf(
  model: ModelIdentity,
  role: "candidate" | "baseline",
  measurer: Measurer,
  dataset: ModelMetrics["dataset"],
  request: MeasureRequest,
): ModelMetrics {
  return {
    model,
    role,
    dataset,
    runner: null,
    batchParity: null,
    performance: null,
    measurements: measure(measurer, null, request),
  };
}

function summary(predictions: Predictions): ModelMetrics["dataset"] {
  return { id: "prediction file", digest: rowsDigest(predictions), rows: rowCount(predictions), badRows: 0 };
}

/** A prediction file stands for its model: the model takes the file's name, and the file's digest identifies it. */
async function identify(file: string, task: Task): Promise<ModelIdentity> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return { id: basename(file, extname(file)), version: "file", task, sha256: hash.digest("hex") };
}
