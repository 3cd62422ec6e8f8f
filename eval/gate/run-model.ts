import { randomInt } from "node:crypto";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BatchParity } from "../../models/core/predictor/batch-parity.ts";
import { ConfigurationError, type Diagnostic } from "../../models/core/errors.ts";
import { augmentationColumn } from "../../models/core/manifest/augmentations.ts";
import { placeIn, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { openPredictor, type ActivatedTwice, type ModelDescription } from "../../models/core/predictor/predictor.ts";
import type { EvaluationDataset } from "../dataset/read.ts";
import { activatedTwice } from "../judge/activated-twice.ts";
import { readRunner } from "../latency/fingerprint.ts";
import type { Shard } from "../dataset/shard.ts";
import type { RuledRow } from "../predict/ruled-row.ts";
import { predictDataset, type PredictedDataset } from "../predict/predict.ts";
import { writeShard, type ShardMachine } from "../predict/shard-file.ts";
import { writePredictions } from "../predictions/write.ts";
import type { Predictions } from "../predictions/predictions.ts";
import type { BadRow } from "../dataset/bad-rows.ts";
import type { Runner, StepFigures } from "../schema/metrics.ts";
import type { ModelIdentity } from "../schema/verdict.ts";
import type { EvaluationContext } from "./context.ts";
import { judgedStores } from "./judged-stores.ts";
import { cacheModelObjects } from "./lfs-objects.ts";
import { observedRows } from "./profile.ts";
import { requireOwnFolder } from "./outputs.ts";
import { stepFigures } from "./step-figures.ts";
import { sampleShards, type SampleOutcome } from "./shard-sample.ts";
import { mergedPredictions, shardFolder, type ShardOwner } from "./shards.ts";

/** What one model predicted on the dataset, on which machine, and whether its batches can be trusted. */
export type ModelRun = {
  role: "candidate" | "baseline";
  identity: ModelIdentity;
  modelBytes: number;
  /** Digest of the files that preprocessing reads, e.g. a tokenizer. */
  filesDigest: string;
  /** Head → its predictions; only heads with labels in the dataset. */
  predictions: Map<string, Predictions>;
  /** Rows for which its rules fired, and what the model answers without them. */
  ruled: RuledRow[];
  batchParity: BatchParity;
  runner: Runner;
  /** Features of some of the rows, as they enter the graph; null for one that cannot be used. Only the candidate's. */
  features: (Float64Array | null)[];
  /** Number of the dataset's rows that this model could not take; altered copies are none of them. */
  refused: number;
  /** Why the answers of earlier jobs may not be compared here; null when they may. */
  elsewhere: string | null;
  notes: string[];
  /** Of a composition: its steps; empty for any other model. */
  steps: StepFigures[];
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
    const samples: SampleOutcome[] = [];
    const predictedOn = async (rows: EvaluationDataset, owner: ShardOwner): Promise<PredictedDataset> => {
      if (shards === undefined) return opened.predict(rows);
      const merged = await mergedPredictions(shards, owner, contentOf(described), loaded.manifest, rows);
      const sample = await sampleShards(
        merged.parts,
        merged.predictions,
        rows,
        (positions) => opened.predictRows(rows, positions),
        machineOf(runner),
        batchParity,
        (context.deps.drawSeed ?? (() => randomInt(2 ** 31)))(),
      );
      samples.push(sample);
      return merged;
    };
    const predicted = await predictedOn(dataset, { id, role });
    const { copies } = dataset;
    const ofCopies = copies === undefined ? null : await predictedOn(copies, { id, role, copies: true });
    const logits = role === "candidate" ? squashedTwice(loaded, predicted.predictions) : [];
    if (logits.length > 0) throw refusal(logits);
    for (const note of [...predicted.notes, ...(ofCopies?.notes ?? [])])
      context.deps.onEvent({ kind: "note", text: `${name}: ${note}` });
    return {
      role,
      batchParity,
      runner,
      identity: {
        id: described.id,
        version: described.version,
        task: loaded.manifest.task,
        sha256: described.sha256,
        ...(described.rules === undefined ? {} : { rules: described.rules }),
      },
      modelBytes: described.modelBytes,
      filesDigest: described.filesDigest,
      predictions: new Map(
        predicted.predictions.map((one) => {
          const copied = ofCopies?.predictions.find(({ head }) => head === one.head);
          const own = ofCatalogue(one, described.catalogueSizes);
          return [
            one.head,
            copied === undefined ? own : { ...own, copies: ofCatalogue(copied, described.catalogueSizes) },
          ];
        }),
      ),
      ruled: predicted.ruled,
      features: role === "candidate" ? await opened.features() : [],
      refused: predicted.badRows.length,
      steps: await opened.steps(predicted.badRows),
      elsewhere: samples.find(({ elsewhere }) => elsewhere !== null)?.elsewhere ?? null,
      notes: [
        ...samples.map(({ note }, i) => `${name}: ${i === 0 ? note : `of altered copies, ${note}`}`),
        ...opened.activationNotes,
        ...(predicted.badRows.length === 0
          ? []
          : [
              `${name} could not take ${predicted.badRows.length} rows, e.g. ${predicted.badRows[0]?.place}: ${predicted.badRows[0]?.reason}`,
            ]),
        ...(ofCopies === null || ofCopies.badRows.length === 0
          ? []
          : [
              `${name} could not take ${ofCopies.badRows.length} altered copies, e.g. ${ofCopies.badRows[0]?.place}: ${ofCopies.badRows[0]?.reason}`,
            ]),
      ],
    };
  });
}

/** Rankings with the number of items that the model chooses from, which `coverage_at_k` counts by. */
function ofCatalogue(predictions: Predictions, sizes: Readonly<Record<string, number>>): Predictions {
  const { head, answers } = predictions;
  const catalogueSize = sizes[head];
  return answers?.kind === "ranking" && catalogueSize !== undefined
    ? { ...predictions, answers: { ...answers, catalogueSize } }
    : predictions;
}

/**
 * A candidate that applies softmax twice is refused: its probabilities mean nothing. A baseline that does is only noted,
 * or no candidate could ever repair it.
 *
 * @throws ConfigurationError `activated-twice`
 */
function softmaxTwice(role: ModelRun["role"], name: string, found: readonly ActivatedTwice[]): string[] {
  const problems = found.map(({ head, output, rows, place }): Diagnostic => ({
    code: "activated-twice",
    place,
    problem: `the head ${head} applies softmax to what are already probabilities`,
    expected: "logits, which softmax turns into probabilities",
    received: `${output} is 0 or more and sums to 1 on all of ${rows} rows: the graph ends in a softmax of its own`,
    example: "activation: none",
  }));
  if (role === "candidate" && problems.length > 0) throw refusal(problems);
  return problems.map(
    ({ problem, received }) => `${name}: ${problem}: ${received}; its probabilities are not what it means.`,
  );
}

/** The same for sigmoid, which single logits do not give away: their answers on all rows do. */
function squashedTwice(loaded: LoadedManifest, predictions: readonly Predictions[]): Diagnostic[] {
  return loaded.manifest.postprocess.flatMap((head, i): Diagnostic[] => {
    const own = predictions.find((one) => one.head === head.name);
    if (own === undefined || head.kind !== "classification" || head.activation !== "sigmoid") return [];
    const found = activatedTwice(own, "sigmoid");
    return found === null
      ? []
      : [
          {
            code: "activated-twice",
            place: placeIn(loaded, ["postprocess", i, "activation"]),
            problem: `the head ${head.name} applies sigmoid to what are already probabilities`,
            expected: "a logit, which sigmoid turns into a probability",
            received: `${head.from} lies in [0, 1] on all ${own.labels.length} rows, and as a probability its log loss is ${found.asProbabilities.toFixed(4)} in place of ${found.asGiven.toFixed(4)}: the graph ends in a sigmoid of its own`,
            example: "activation: none",
          },
        ];
  });
}

function refusal([first, ...others]: readonly Diagnostic[]): ConfigurationError {
  return new ConfigurationError(others.length === 0 ? first! : { ...first!, others });
}

/**
 * Predicts one part of the rows, and one of their altered copies, and writes them for a later merge.
 * @returns the folders written
 */
export async function runModelShard(
  role: ModelRun["role"],
  loaded: LoadedManifest,
  dataset: EvaluationDataset,
  id: string,
  shard: Shard,
  context: EvaluationContext,
): Promise<string[]> {
  return withModel(role, loaded, dataset, id, context, async ({ predict, described, runner }) => {
    const write = async (rows: EvaluationDataset, owner: ShardOwner): Promise<string> => {
      const { predictions, expandedHeads, badRows, ruled, from, to } = await predict(rows, shard);
      const folder = shardFolder(context.request.out, owner, shard);
      await requireOwnFolder(context.repository, dirname(folder));
      await rm(folder, { recursive: true, force: true });
      await writeShard(folder, {
        manifest: {
          datasetDigest: rows.digest,
          modelSha256: contentOf(described),
          machine: machineOf(runner),
          ...shard,
          from,
          to,
          rows: rows.rows.length,
          datasetBadRows: rows.badRows,
          refusedRows: badRows,
          expandedHeads,
          ruledRows: ruled,
        },
        predictions: predictions.map(withoutAugmentation),
      });
      return folder;
    };
    const { copies } = dataset;
    return [
      await write(dataset, { id, role }),
      ...(copies === undefined ? [] : [await write(copies, { id, role, copies: true })]),
    ];
  });
}

/** Which alteration a copy has is the dataset's to say; in a file of its own the column would mean something else. */
function withoutAugmentation(predictions: Predictions): Predictions {
  const { [augmentationColumn]: _dataset, ...slices } = predictions.slices;
  return { ...predictions, slices };
}

type OpenModel = {
  name: string;
  described: ModelDescription;
  runner: Runner;
  batchParity: BatchParity;
  activationNotes: string[];
  predict: (dataset: EvaluationDataset, shard?: Shard) => Promise<PredictedDataset>;
  features: () => Promise<(Float64Array | null)[]>;
  steps: (badRows: readonly BadRow[]) => Promise<StepFigures[]>;
  /** Predicts these rows of a dataset, and keeps nothing. */
  predictRows: (dataset: EvaluationDataset, rows: readonly number[]) => Promise<PredictedDataset>;
};

/** What the shards of one model have in common: its weights, and its rules. */
const contentOf = ({ sha256, rules }: ModelDescription): string =>
  rules === undefined ? sha256 : `${sha256} with rules ${rules.sha256}`;

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
  const stores = judgedStores(loaded, dataset);
  const predictor = await openPredictor(
    loaded,
    { stores, ...(request.provider === undefined ? {} : { provider: request.provider }) },
    { env: deps.env, fetch: deps.fetch, cacheDir },
  );
  try {
    const described = predictor.describe();
    const runner = await readRunner({
      provider: described.provider,
      threads: described.threads,
      onnxruntime: described.onnxruntime,
    });
    const pool = dataset.rows.slice(0, parityPool).map(({ row }) => row);
    const batchParity = await predictor.batchParity(pool);
    const activationNotes = softmaxTwice(role, name, await predictor.activatedTwice(pool));
    const stage = `${role} ${loaded.manifest.version}: predicting`;
    onEvent(stage);
    // A model whose answers depend on the batch is measured row by row, as a single request would see it.
    const manifest = batchParity.ok
      ? loaded.manifest
      : { ...loaded.manifest, runtime: { ...loaded.manifest.runtime, batch: 1 } };
    const request = { predictor, manifest, cpuFlags: runner.cpuFlags };
    const signal = deps.signal === undefined ? {} : { signal: deps.signal };
    const wanted = role === "candidate" ? observedRows(loaded.manifest, dataset.rows.length) : [];
    const profiled = new Set(wanted);
    const observed = new Map<number, Float64Array>();
    const observe = {
      wants: (row: number) => profiled.has(row),
      take: (row: number, features: Float64Array) => void observed.set(row, features),
    };
    const predict = (rows: EvaluationDataset, shard?: Shard) =>
      predictDataset(
        {
          ...request,
          dataset: rows,
          ...(rows === dataset ? { observe } : {}),
          ...(shard === undefined ? {} : { shard }),
        },
        {
          cacheDir,
          ...signal,
          onProgress: ({ done, total }) => deps.onEvent({ kind: "progress", model: id, stage, done, total }),
        },
      );
    const predictRows = (of: EvaluationDataset, rows: readonly number[]) =>
      predictDataset(
        {
          ...request,
          // Refused rows are answers here; how many there may be is decided for the whole dataset.
          dataset: { ...of, rows: rows.map((row) => of.rows[row]!), badRows: [], maxBadRows: rows.length },
          shard: { index: 0, count: 1 },
        },
        { cacheDir: null, ...signal },
      );
    // Rows whose answers were cached were not prepared, and refused ones have no features.
    const features = async () => {
      const missing = wanted.filter((row) => !observed.has(row));
      const found = await predictor.features(missing.map((row) => dataset.rows[row]!.row));
      const rest = new Map(missing.map((row, i) => [row, found[i]!]));
      return wanted.map((row) => observed.get(row) ?? rest.get(row)!);
    };
    const steps = (badRows: readonly BadRow[]) =>
      stepFigures(
        predictor,
        dataset.rows.map(({ row }) => row),
        badRows,
        () => performance.now(),
      );
    return await work({ name, features, steps, described, runner, batchParity, activationNotes, predict, predictRows });
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
