import { randomInt } from "node:crypto";
import { join } from "node:path";
import type { BatchParity } from "../../models/core/predictor/batch-parity.ts";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import { openPredictor, type ModelDescription } from "../../models/core/predictor/predictor.ts";
import type { EvaluationDataset } from "../dataset/read.ts";
import { readRunner } from "../latency/fingerprint.ts";
import type { Shard } from "../dataset/shard.ts";
import { predictDataset, type PredictedDataset } from "../predict/predict.ts";
import { writeShard, type ShardMachine } from "../predict/shard-file.ts";
import { writePredictions } from "../predictions/write.ts";
import type { Predictions } from "../predictions/predictions.ts";
import type { Runner } from "../schema/metrics.ts";
import type { ModelIdentity } from "../schema/verdict.ts";
import type { EvaluationContext } from "./context.ts";
import { cacheModelObjects } from "./lfs-objects.ts";
import { sampleShards, type SampleOutcome } from "./shard-sample.ts";
import { mergedPredictions, shardFolder } from "./shards.ts";

/** What one model predicted on the dataset, on which machine, and whether its batches can be trusted. */
export type ModelRun = {
  role: "candidate" | "baseline";
  identity: ModelIdentity;
  modelBytes: number;
  /** Digest of the files that preprocessing reads, e.g. a tokenizer. */
  filesDigest: string;
  /** Head → its predictions; only heads with labels in the dataset. */
  predictions: Map<string, Predictions>;
  batchParity: BatchParity;
  runner: Runner;
  /** Number of the dataset's rows that this model could not take. */
  refused: number;
  /** Why the answers of earlier jobs may not be compared here; null when they may. */
  elsewhere: string | null;
  notes: string[];
};

/** Number of rows that the batch-parity check may choose from. It compares at most 64 of them. */
const parityPool = 2048;

/**
 * Opens a model, checks batch parity, predicts the dataset, and closes the model. With `request.shards`, the
 * predictions of earlier jobs are merged instead. The model is opened even then, to check that the shards come from
 * these exact bytes.
 */
export async function runModel(
  role: ModelRun["role"],
  loaded: LoadedManifest,
  dataset: EvaluationDataset,
  id: string,
  context: EvaluationContext,
): Promise<ModelRun> {
  const shards = context.request.shards;
  return withModel(role, loaded, dataset, id, context, async (opened) => {
    const { name, runner, described, batchParity } = opened;
    let predicted: PredictedDataset;
    let sample: SampleOutcome | null = null;
    if (shards === undefined) predicted = await opened.predict();
    else {
      const merged = await mergedPredictions(shards, { id, role }, described.sha256, loaded.manifest, dataset);
      predicted = merged;
      sample = await sampleShards(
        merged.parts,
        merged.predictions,
        dataset,
        opened.predictRows,
        machineOf(runner),
        batchParity,
        (context.deps.drawSeed ?? (() => randomInt(2 ** 31)))(),
      );
    }
    for (const note of predicted.notes) context.deps.onEvent({ kind: "note", text: `${name}: ${note}` });
    return {
      role,
      batchParity,
      runner,
      identity: { id: described.id, version: described.version, task: loaded.manifest.task, sha256: described.sha256 },
      modelBytes: described.modelBytes,
      filesDigest: described.filesDigest,
      predictions: new Map(predicted.predictions.map((one) => [one.head, one])),
      refused: predicted.badRows.length,
      elsewhere: sample?.elsewhere ?? null,
      notes: [
        ...(sample === null ? [] : [`${name}: ${sample.note}`]),
        ...(predicted.badRows.length === 0
          ? []
          : [
              `${name} could not take ${predicted.badRows.length} rows, e.g. ${predicted.badRows[0]?.place}: ${predicted.badRows[0]?.reason}`,
            ]),
      ],
    };
  });
}

/** Predicts one part of the rows and writes it for a later merge. */
export async function runModelShard(
  role: ModelRun["role"],
  loaded: LoadedManifest,
  dataset: EvaluationDataset,
  id: string,
  shard: Shard,
  context: EvaluationContext,
): Promise<string> {
  return withModel(role, loaded, dataset, id, context, async ({ predict, described, runner }) => {
    const { predictions, badRows, from, to } = await predict(shard);
    const folder = shardFolder(context.request.out, { id, role }, shard);
    await writeShard(folder, {
      manifest: {
        datasetDigest: dataset.digest,
        modelSha256: described.sha256,
        machine: machineOf(runner),
        ...shard,
        from,
        to,
        rows: dataset.rows.length,
        datasetBadRows: dataset.badRows,
        refusedRows: badRows,
      },
      predictions,
    });
    return folder;
  });
}

type OpenModel = {
  name: string;
  described: ModelDescription;
  runner: Runner;
  batchParity: BatchParity;
  predict: (shard?: Shard) => Promise<PredictedDataset>;
  /** Predicts these rows of the dataset, and keeps nothing. */
  predictRows: (rows: readonly number[]) => Promise<PredictedDataset>;
};

const machineOf = ({ arch, cpuFlags, onnxruntime }: Runner): ShardMachine => ({ arch, cpuFlags, onnxruntime });

async function withModel<T>(
  role: ModelRun["role"],
  loaded: LoadedManifest,
  dataset: EvaluationDataset,
  id: string,
  context: EvaluationContext,
  work: (opened: OpenModel) => Promise<T>,
): Promise<T> {
  const { deps, cacheDir, request } = context;
  const name = `${id}: ${role} ${loaded.manifest.version}`;
  const onEvent = (stage: string) => deps.onEvent({ kind: "stage", model: id, stage });
  onEvent(`${role} ${loaded.manifest.version}: opening`);
  await cacheModelObjects(loaded, context.lfs, cacheDir);
  const predictor = await openPredictor(loaded, request.provider === undefined ? {} : { provider: request.provider }, {
    env: deps.env,
    fetch: deps.fetch,
    cacheDir,
  });
  try {
    const described = predictor.describe();
    const runner = await readRunner({
      provider: described.provider,
      threads: described.threads,
      onnxruntime: described.onnxruntime,
    });
    const pool = dataset.rows.slice(0, parityPool).map(({ row }) => row);
    const batchParity = await predictor.batchParity(pool);
    const stage = `${role} ${loaded.manifest.version}: predicting`;
    onEvent(stage);
    // A model whose answers depend on the batch is measured row by row, as a single request would see it.
    const manifest = batchParity.ok
      ? loaded.manifest
      : { ...loaded.manifest, runtime: { ...loaded.manifest.runtime, batch: 1 } };
    const request = { predictor, manifest, cpuFlags: runner.cpuFlags };
    const signal = deps.signal === undefined ? {} : { signal: deps.signal };
    const predict = (shard?: Shard) =>
      predictDataset(
        { ...request, dataset, ...(shard === undefined ? {} : { shard }) },
        {
          cacheDir,
          ...signal,
          onProgress: ({ done, total }) => deps.onEvent({ kind: "progress", model: id, stage, done, total }),
        },
      );
    const predictRows = (rows: readonly number[]) =>
      predictDataset(
        {
          ...request,
          // Refused rows are answers here; how many there may be is decided for the whole dataset.
          dataset: { ...dataset, rows: rows.map((row) => dataset.rows[row]!), badRows: [], maxBadRows: rows.length },
          shard: { index: 0, count: 1 },
        },
        { cacheDir: null, ...signal },
      );
    return await work({ name, described, runner, batchParity, predict, predictRows });
  } finally {
    await predictor.close();
  }
}

/** Writes predictions/MODEL/HEAD.ROLE.csv for every head and run. */
export async function writeModelPredictions(out: string, id: string, runs: readonly ModelRun[]): Promise<void> {
  for (const run of runs) {
    for (const [head, predictions] of run.predictions) {
      await writePredictions(
        join(out, "predictions", id, `${head.replaceAll(/[^\w.-]/g, "_")}.${run.role}.csv`),
        predictions,
      );
    }
  }
}
