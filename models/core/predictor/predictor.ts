import { existsSync } from "node:fs";
import { defaultCacheDir } from "../artifact/cache-dir.ts";
import { fetchArtifact, type ArtifactDeps, type VerifiedModel } from "../artifact/artifact.ts";
import { fixedReshape } from "../artifact/onnx-file.ts";
import { batchParity, parityRows } from "./batch-parity.ts";
import { openComposition } from "./composition.ts";
import type { DirectPipeline } from "./direct.ts";
import type { EvaluationError } from "../errors.ts";
import { placeIn, type LoadedManifest } from "./load.ts";
import { featuresOfRow, observeDirect } from "./observe.ts";
import { segmentedPredictor } from "./segmented.ts";
import { compilePipeline, type FoundFeatures, type Pipeline, type PreparedRow } from "./pipeline.ts";
import { alreadyProbabilities, enoughRows } from "../postprocess/already-probabilities.ts";
import type { RawAnswer, RowContext } from "../postprocess/compiled.ts";
import type { HeadResult } from "../postprocess/result.ts";
import type { LookedUp, Note } from "../preprocess/compiled.ts";
import { RowError, type Row } from "../row.ts";
import { rulesIdentity } from "../rules/identity.ts";
import { compileReasons, type CompiledReasons } from "../reasons/compile.ts";
import { OPTIMISED_WEIGHTS, findOptimised, recordFile } from "../session/optimised.ts";
import { openSession, runtimeVersion } from "../session/session.ts";
import { checkContract } from "../session/contract.ts";
import { servedLog, type ServedLog } from "../feature-store/served-log.ts";
import { artifactDigest } from "../manifest/artifact-files.ts";
import { paddedWith, withDecodeLoop, type ModelSession } from "./generating.ts";
import { pieceSender } from "./pieces.ts";
import { readModelFiles, type OpenModelFiles } from "./model-files.ts";
import type { ModelDescription, OpenOptions, Predictor, PredictOptions, RowResult } from "./interface.ts";
import type { GraphTensor } from "../tensors.ts";

export type { ActivatedTwice, ModelDescription, OpenOptions, Predictor, RowResult } from "./interface.ts";

/**
 * Opens a model from its manifest: reads and verifies the artifact, opens it, and checks the graph against the
 * manifest.
 */
export async function openPredictor(
  loaded: LoadedManifest,
  options: OpenOptions,
  deps: ArtifactDeps,
): Promise<Predictor> {
  if (loaded.composition !== undefined)
    return openComposition(loaded, loaded.composition, options, (model, own) => openPredictor(model, own, deps));
  const files = await readModelFiles(loaded, {
    cacheDir: deps.cacheDir ?? defaultCacheDir(deps.env),
    env: deps.env,
    ...(options.stores === undefined ? {} : { stores: options.stores }),
  });
  try {
    const predictor = await openWith(loaded, options, deps, files);
    if (loaded.manifest.segment === undefined) return predictor;
    return await segmentedPredictor(loaded, predictor, deps);
  } catch (error) {
    await files.close();
    throw error;
  }
}

async function openWith(
  loaded: LoadedManifest,
  options: OpenOptions,
  deps: ArtifactDeps,
  { steps, heads, digest, close }: OpenModelFiles,
): Promise<Predictor> {
  // Before the download, so that a manifest that cannot work does not cost one.
  const pipeline = compilePipeline(loaded, steps, heads);
  const served = options.served === true ? servedLog(loaded.manifest, storeDigests(steps), deps.env) : null;
  const { artifact, runtime, serving } = loaded.manifest;
  const example = serving.examples[0];
  const provider = options.provider ?? runtime.provider;
  const optimised =
    options.optimised === true &&
    provider === "cpu" &&
    artifact.path !== undefined &&
    existsSync(recordFile(loaded.dir))
      ? await findOptimised(loaded.dir, artifact, await runtimeVersion())
      : null;
  const model: VerifiedModel =
    optimised === null
      ? await fetchArtifact(artifact, loaded.dir, deps)
      : {
          bytes: optimised.graph,
          sha256: artifact.sha256,
          source: optimised.source,
          externalData: [{ path: OPTIMISED_WEIGHTS, bytes: new Uint8Array(), sha256: optimised.record.files.weights }],
          totalBytes: optimised.record.bytes,
        };
  const threads = options.threads ?? runtime.threads;
  const main = await openSession(model, {
    provider,
    threads,
    optimisedFile: optimised?.file,
    ...(provider !== "cpu" && example !== undefined
      ? { probe: pipeline.feeds([await prepareOne(pipeline, example)]) }
      : {}),
  });
  const session = await withDecodeLoop(loaded, main, { provider, threads }, deps).catch(async (error: unknown) => {
    await main.close();
    throw error;
  });
  const batched = session.masked ? pipeline : { ...pipeline, fixedBatch: 1 };
  let reasons: CompiledReasons | null;
  try {
    checkContract(
      loaded.manifest,
      session.inputs,
      session.outputs,
      (path) => placeIn(loaded, path),
      () => fixedReshape(model.bytes),
    );
    reasons = compileReasons(loaded.manifest, model.bytes, () => placeIn(loaded, ["reasons"]));
  } catch (error) {
    await session.close();
    throw error;
  }
  return assemble(
    loaded,
    { ...batched, reasons },
    session,
    { ...model, sha256: artifactDigest(artifact), totalBytes: model.totalBytes + session.furtherBytes },
    {
      filesDigest: digest,
      optimised: optimised?.record.files.graph ?? null,
      catalogueSizes: Object.fromEntries(
        Object.entries(heads).flatMap(([name, { catalogue }]) =>
          catalogue === undefined ? [] : [[name, catalogue.length]],
        ),
      ),
    },
    options.batch ?? runtime.batch,
    { closeStores: close, served },
  );
}

function storeDigests(files: OpenModelFiles["steps"]): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(files).flatMap(([step, { store }]) => (store === undefined ? [] : [[step, store.sha256]])),
  );
}

/** @throws RowError */
async function prepareOne(pipeline: Pipeline, row: Row): Promise<PreparedRow> {
  const found = (await pipeline.lookUp?.([row], Date.now())) ?? null;
  const refused = found?.error(0);
  if (refused !== undefined) throw refused;
  return pipeline.prepare(row, found?.at(0));
}

function assemble(
  loaded: LoadedManifest,
  pipeline: Pipeline & { reasons: CompiledReasons | null },
  session: ModelSession,
  model: Pick<VerifiedModel, "sha256" | "source" | "totalBytes">,
  { filesDigest, optimised, catalogueSizes }: Pick<ModelDescription, "filesDigest" | "optimised" | "catalogueSizes">,
  defaultBatch: number,
  { closeStores, served }: { closeStores: () => Promise<void>; served: ServedLog | null },
): Predictor {
  const { manifest } = loaded;

  const run = async (rows: readonly PreparedRow[]): Promise<Record<string, RawAnswer>[]> => {
    const answers = await session.run(pipeline.feeds(rows), pipeline.fetches);
    return rows.map((row, i) => pipeline.raw(answers, i, rows.length, row));
  };

  const lookUp = async (rows: readonly Row[]) => (await pipeline.lookUp?.(rows, Date.now())) ?? null;

  const prepare = async (rows: readonly Row[], found: FoundFeatures | null) => {
    const good: { index: number; row: PreparedRow }[] = [];
    const bad: { index: number; error: RowError }[] = [];
    for (const [index, row] of rows.entries()) {
      try {
        const refused = found?.error(index);
        if (refused !== undefined) throw refused;
        const one = await pipeline.prepare(row, found?.at(index));
        const looked = found?.notes(index) ?? [];
        good.push({ index, row: looked.length === 0 ? one : { ...one, notes: [...one.notes, ...looked] } });
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
        bad.push({ index, error });
      }
    }
    return { good, bad };
  };

  const textFields = Object.values(manifest.preprocess).flatMap((step) =>
    step.kind === "text" ? [step.field, ...step.append] : [],
  );
  /** Of a row's texts, whose tokens are what makes rows differ in length. */
  const characters = (row: Row): number =>
    textFields.reduce((sum, field) => sum + (typeof row[field] === "string" ? row[field].length : 0), 0);

  const runTimed = async (
    feeds: Record<string, GraphTensor>,
    rows: number,
    tokens: number,
    options: PredictOptions,
    onToken?: (row: number, id: number) => void,
  ) => {
    const start = performance.now();
    if (session.generate !== null) {
      const { answers, ...generated } = await session.generate(feeds, { signal: options.signal, onToken });
      options.onRun?.({ rows, tokens, ms: performance.now() - start, generated });
      return answers;
    }
    const answers = await session.run(feeds, pipeline.fetches);
    options.onRun?.({ rows, tokens, ms: performance.now() - start });
    return answers;
  };

  const batchOf = (options: PredictOptions) => pipeline.fixedBatch ?? Math.max(1, options.batch ?? defaultBatch);

  /** The model's own answer to a row, and what the rules make of it. */
  const ruled = (row: Row, own: Record<string, HeadResult>, lookedUp: LookedUp | undefined): RowResult => {
    if (pipeline.rules === null) return { ok: true, heads: own };
    try {
      const answer = pipeline.rules.apply(row, own, lookedUp);
      if (answer === null) return { ok: true, heads: own };
      const { heads, fired } = answer;
      return { ok: true, heads, rules: { fired, own } };
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      return { ok: false, error };
    }
  };

  /** The answer with what its features add, where `reasons` asks for it. `index`: the row's place in the run. */
  const withReasons = (result: RowResult, feeds: Record<string, GraphTensor>, index: number): RowResult => {
    const { reasons } = pipeline;
    return reasons !== null && result.ok && reasons.wanted(result.heads)
      ? { ...result, features: reasons.of(feeds, index) }
      : result;
  };

  /**
   * Writes the outputs of one run into the results of its rows.
   * @param contextOf row i of the run
   */
  const readRun = (
    rows: readonly Row[],
    found: FoundFeatures | null,
    { feeds, answers }: { feeds: Record<string, GraphTensor>; answers: Record<string, GraphTensor> },
    indices: ArrayLike<number>,
    count: number,
    contextOf: (i: number) => RowContext,
    results: RowResult[],
    options: PredictOptions,
  ) => {
    const read = pipeline.read(answers, count);
    for (let i = 0; i < count; i++) {
      const index = indices[i]!;
      try {
        const heads = read(i, () => options.rowName?.(index) ?? `row ${index}`, contextOf(i));
        results[index] = withReasons(ruled(rows[index]!, heads, found?.at(index)), feeds, i);
      } catch (error) {
        if (!(error instanceof RowError) && options.badOutput !== "row") throw error;
        results[index] = { ok: false, error: error as EvaluationError };
      }
    }
  };

  /**
   * Rows of plain numbers have no length to sort by and nothing to await, so each is written straight into the feeds.
   */
  const predictDirect = async (
    direct: DirectPipeline,
    rows: readonly Row[],
    found: FoundFeatures | null,
    options: PredictOptions,
  ): Promise<RowResult[]> => {
    const results = new Array<RowResult>(rows.length);
    const maxRows = Math.max(1, Math.min(batchOf(options), rows.length, Math.floor(options.tokenBudget ?? Infinity)));
    const indices = new Array<number>(maxRows);
    for (let from = 0; from < rows.length;) {
      options.signal?.throwIfAborted();
      const batch = direct.begin(maxRows);
      let count = 0;
      for (; from < rows.length && count < maxRows; from++) {
        try {
          const refused = found?.error(from);
          if (refused !== undefined) throw refused;
          batch.put(rows[from]!, count, found?.at(from));
          indices[count++] = from;
        } catch (error) {
          if (!(error instanceof RowError)) throw error;
          results[from] = { ok: false, error };
        }
      }
      if (count === 0) break;
      const feeds = batch.feeds(count);
      const answers = await runTimed(feeds, count, count, options);
      const contextOf = (i: number) => ({ row: rows[indices[i]!]!, steps: NO_STEPS });
      readRun(rows, found, { feeds, answers }, indices, count, contextOf, results, options);
      batch.release();
      if (found !== null) for (let i = 0; i < count; i++) addNotes(results, indices[i]!, found.notes(indices[i]!));
    }
    return results;
  };

  const predict: Predictor["predict"] = async (rows, options = {}) => {
    const found = await lookUp(rows);
    if (found !== null && options.served === true) served?.(found.steps);
    const { observe } = options;
    if (pipeline.direct !== null) {
      if (observe !== undefined) observeDirect(pipeline, pipeline.direct, rows, found, observe);
      return predictDirect(pipeline.direct, rows, found, options);
    }
    const { good, bad } = await prepare(rows, found);
    if (observe !== undefined)
      for (const { index, row } of good) if (observe.wants(index)) observe.take(index, pipeline.observe(row));
    const results = new Array<RowResult>(rows.length);
    for (const { index, error } of bad) results[index] = { ok: false, error };
    const ordered =
      (options.sort ?? manifest.runtime.sortByLength) ? good.toSorted((a, b) => a.row.length - b.row.length) : good;
    const size = batchOf(options);
    for (let from = 0; from < ordered.length;) {
      options.signal?.throwIfAborted();
      const batch = ordered.slice(from, from + fitting(ordered, from, size, options.tokenBudget));
      from += batch.length;
      const pieces = pieceSender(pipeline, batch, options.onPiece);
      const feeds = pipeline.feeds(batch.map(({ row }) => row));
      const answers = await runTimed(feeds, batch.length, batch.length * longest(batch), options, pieces?.onToken);
      readRun(
        rows,
        found,
        { feeds, answers },
        batch.map(({ index }) => index),
        batch.length,
        (i) => batch[i]!.row,
        results,
        options,
      );
      for (const { index, row } of batch) addNotes(results, index, row.notes);
      pieces?.end(results);
    }
    return results;
  };

  return {
    predict,
    async predictOne(row, options) {
      const [result] = await predict([row], { ...options, badOutput: "throw" });
      if (!result!.ok) throw result!.error;
      return result!.heads;
    },
    async batchParity(rows, tolerance = manifest.runtime.batchTolerance) {
      const chosen = parityRows(rows, characters);
      const some = chosen.map((index) => rows[index]!);
      const { good } = await prepare(some, await lookUp(some));
      return batchParity(good, {
        tolerance,
        batch: pipeline.fixedBatch ?? defaultBatch,
        length: (one) => one.row.length,
        run: (some) => run(some.map(({ row }) => row)),
        index: (one) => chosen[one.index]!,
        now: () => performance.now(),
      });
    },
    async features(rows) {
      const found = await lookUp(rows);
      const all: (Float64Array | null)[] = [];
      for (const [index, row] of rows.entries()) all.push(await featuresOfRow(pipeline, row, found, index));
      return all;
    },
    async activatedTwice(rows) {
      if (!manifest.postprocess.some((head) => head.kind === "classification" && head.activation === "softmax"))
        return [];
      const some = rows.slice(0, 2 * enoughRows);
      const { good } = await prepare(some, await lookUp(some));
      const size = pipeline.fixedBatch ?? defaultBatch;
      const outputs: Record<string, RawAnswer>[] = [];
      for (let from = 0; from < Math.min(good.length, enoughRows); from += size)
        outputs.push(...(await run(good.slice(from, Math.min(from + size, enoughRows)).map(({ row }) => row))));
      return manifest.postprocess.flatMap((head, i) =>
        head.kind === "classification" &&
        alreadyProbabilities(
          head,
          outputs.map((one) => Array.from(one[head.name]?.numbers ?? [])),
        )
          ? [
              {
                head: head.name,
                output: head.from,
                rows: outputs.length,
                place: placeIn(loaded, ["postprocess", i, "activation"]),
              },
            ]
          : [],
      );
    },
    async warmUp() {
      if (manifest.serving.examples.length === 0) return session.warmUp();
      const found = await lookUp(manifest.serving.examples);
      for (const [i, example] of manifest.serving.examples.entries()) {
        const refused = found?.error(i);
        if (refused !== undefined) throw refused;
        await run([await pipeline.prepare(example, found?.at(i))]);
      }
    },
    describe: () => ({
      id: manifest.id,
      version: manifest.version,
      task: manifest.task,
      sha256: model.sha256,
      source: model.source,
      modelBytes: model.totalBytes,
      filesDigest,
      ...rulesIdentity(manifest),
      catalogueSizes,
      optimised,
      provider: session.provider,
      providerNodes: session.providerNodes,
      onnxruntime: session.onnxruntime,
      threads: session.threads,
      inputs: session.inputs,
      outputs: session.outputs,
    }),
    async runTensors(feeds, fetches) {
      const answers = await session.run(feeds, fetches);
      const { generate } = manifest;
      return generate === undefined ? answers : paddedWith(answers, generate.pad ?? generate.end[0]!);
    },
    async close() {
      await session.close();
      await closeStores();
    },
  };
}

const NO_STEPS = {};

function addNotes(results: RowResult[], index: number, notes: readonly Note[]): void {
  const result = results[index]!;
  if (notes.length > 0 && result.ok) results[index] = { ...result, notes };
}

type Sized = readonly { row: PreparedRow }[];

const longest = (batch: Sized) => batch.reduce((most, { row }) => Math.max(most, row.length), 1);

/** How many rows, starting at `from`, fit into one run: at most `size`, with their padded tokens within the budget. */
function fitting(rows: Sized, from: number, size: number, budget = Infinity): number {
  let count = 1;
  let length = rows[from]!.row.length;
  while (count < size && from + count < rows.length) {
    length = Math.max(length, rows[from + count]!.row.length);
    if (length * (count + 1) > budget) break;
    count++;
  }
  return count;
}
