import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename, extname } from "node:path";
import { pipeline } from "node:stream/promises";
import { gates as gatesSchema, type CheckPolicy } from "../models/core/manifest/gates.ts";
import type { Task } from "../models/core/manifest/manifest.ts";
import { writeOutputs, type OutputFiles } from "./gate/outputs.ts";
import { judgePredictions } from "./judge/judge-predictions.ts";
import { judgeRun } from "./judge/judge.ts";
import { planChecks } from "./judge/plan-checks.ts";
import { measuredPair, type BaselinePredictions } from "./judge/quality-evidence.ts";
import { measure, measurerOf, type Measurer } from "./metrics/measure.ts";
import { pairPredictions } from "./predictions/pair.ts";
import { readPredictions } from "./predictions/read.ts";
import type { Predictions } from "./predictions/predictions.ts";
import type { MetricsFile, ModelMetrics } from "./schema/metrics.ts";
import type { ModelIdentity, VerdictFile } from "./schema/verdict.ts";
import { sluiceVersion } from "../models/core/version.ts";

export type PredictionFile = {
  file: string;
  task: Task;
  positive?: string;
  naiveScale?: number;
  slices?: readonly string[];
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
  out: string;
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
  const slices = [...new Set(request.policies.flatMap((policy) => policy.slices))];
  const options = {
    task,
    slices,
    ...(request.positive === undefined ? {} : { positive: request.positive }),
    ...(request.naiveScale === undefined ? {} : { naiveScale: request.naiveScale }),
  };
  const candidate = await readPredictions(request.candidate, options);
  const baseline = await readPredictions(request.baseline, options);
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
    slices.map((column) => [column, [...new Set(candidate.predictions.slices[column] ?? [])]]),
  );
  const pair = measuredPair(new Map([["", candidate.predictions]]), new Map([["", paired]]), request.seed);
  const judged = judgePredictions(
    pair,
    planChecks(gates, values, () => null, false),
    { gates },
  );
  const { checks, expectedFalseRed, notes } = judged;
  const identity = {
    candidate: await identify(request.candidate, task),
    baseline: await identify(request.baseline, task),
  };
  const dataset = summary(candidate.predictions);
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
    { role: "candidate" as const, measurer: pair.candidate.get("") as Measurer },
    ...(baselineHead?.kind === "paired" ? [{ role: "baseline" as const, measurer: baselineHead.measurer }] : []),
  ];
  const metrics: MetricsFile = {
    schemaVersion: 1,
    sluiceVersion,
    createdAt,
    models: measuredHeads.map(({ measurer, role }) => metricsOf(identity[role], role, measurer, level)),
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
  request: PredictionFile & { level: number; seed: number },
  deps: FileDeps,
): Promise<MetricsFile> {
  const { predictions, notes } = await readPredictions(request.file, {
    task: request.task,
    ...(request.positive === undefined ? {} : { positive: request.positive }),
    ...(request.slices === undefined ? {} : { slices: request.slices }),
    ...(request.naiveScale === undefined ? {} : { naiveScale: request.naiveScale }),
  });
  for (const note of notes) deps.onNote(note);
  return {
    schemaVersion: 1,
    sluiceVersion,
    createdAt: deps.now().toISOString(),
    models: [
      metricsOf(
        await identify(request.file, request.task),
        "candidate",
        measurerOf(predictions, request.seed),
        request.level,
      ),
    ],
  };
}

function metricsOf(
  model: ModelIdentity,
  role: "candidate" | "baseline",
  measurer: Measurer,
  level: number,
): ModelMetrics {
  return {
    model,
    role,
    dataset: summary(measurer.predictions),
    runner: null,
    batchParity: null,
    performance: null,
    measurements: measure(measurer, null, { level }),
  };
}

function summary(predictions: Predictions): { id: string; digest: string; rows: number; badRows: number } {
  // A prediction file knows no more of its dataset than the rows' ids and labels.
  const hash = createHash("sha256");
  predictions.ids.forEach((id, row) => hash.update(JSON.stringify([id, predictions.labels[row]])).update("\n"));
  return { id: "prediction file", digest: hash.digest("hex"), rows: predictions.ids.length, badRows: 0 };
}

/** A prediction file stands for its model: the model takes the file's name, and the file's digest identifies it. */
async function identify(file: string, task: Task): Promise<ModelIdentity> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return { id: basename(file, extname(file)), version: "file", task, sha256: hash.digest("hex") };
}
