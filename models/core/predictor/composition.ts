import { createHash } from "node:crypto";
import { batchParity, parityRows } from "./batch-parity.ts";
import { EvaluationError } from "../errors.ts";
import { sampleOf } from "../graph/fits.ts";
import { stepsOf } from "../graph/plan.ts";
import { rawAnswer } from "../graph/raw-answer.ts";
import { runGraph } from "../graph/run.ts";
import { featureName } from "../graph/surrogate.ts";
import { rowTensors } from "../graph/tensors.ts";
import { fieldsOf } from "../manifest/rows.ts";
import type { OpenOptions, PredictOptions, Predictor, RowResult } from "./interface.ts";
import { modelsOf, type Composition, type LoadedManifest } from "./load.ts";
import { featuresOf } from "../../profile/features.ts";
import type { Row } from "../row.ts";

/**
 * Opens a composition: each of its models once, whichever steps use it. It answers as one model does.
 *
 * @param open opens one of its models
 */
export async function openComposition(
  loaded: LoadedManifest,
  { graph, models }: Composition,
  options: OpenOptions,
  open: (model: LoadedManifest, options: OpenOptions) => Promise<Predictor>,
): Promise<Predictor> {
  const { manifest } = loaded;
  const steps = stepsOf(graph.root);
  const predictors = new Map<string, Predictor>();
  const close = async () => {
    for (const one of predictors.values()) await one.close();
  };
  try {
    for (const [id, model] of models)
      predictors.set(id, await open(model, { ...options, stores: storesOf(id, steps, options.stores ?? {}) }));
  } catch (error) {
    await close();
    throw error;
  }

  const run = (rows: readonly Row[], { observe: _, onStep, rowName, batch, ...given }: PredictOptions) =>
    runGraph(graph, manifest.id, rows, async (step, asked, at) => {
      const start = performance.now();
      // A model that takes one row at a time keeps to it.
      const single = models.get(step.model)!.manifest.runtime.batch === 1;
      const size = single ? 1 : batch;
      const results = await predictors.get(step.model)!.predict(asked, {
        ...given,
        ...(size === undefined ? {} : { batch: size }),
        ...(rowName === undefined ? {} : { rowName: (i: number) => rowName(at[i]!) }),
      });
      onStep?.({
        step: step.name,
        model: step.model,
        rows: asked.length,
        failed: results.filter(({ ok }) => !ok).length,
        ms: performance.now() - start,
      });
      return results;
    });

  const tensors = rowTensors(manifest);
  const readFeatures = featureReader(loaded, { graph, models }, predictors);

  const predict: Predictor["predict"] = async (rows, given = {}) => {
    const { observe } = given;
    if (observe !== undefined) {
      const wanted = [...rows.keys()].filter((i) => observe.wants(i));
      const features = await readFeatures(wanted.map((i) => rows[i]!));
      features.forEach((one, k) => {
        if (one !== null) observe.take(wanted[k]!, one);
      });
    }
    const results = await run(rows, given);
    return results.map((result): RowResult => {
      if (!result.ok) return { ok: false, error: result.error };
      const { heads, notes, fired } = result;
      return {
        ok: true,
        heads,
        ...(notes.length === 0 ? {} : { notes }),
        ...(fired.length === 0 ? {} : { rules: { fired, own: heads } }),
      };
    });
  };

  const raw = async (rows: readonly Row[]) => {
    const results = await run(rows, { batch: rows.length });
    return results.map((result) => {
      if (!result.ok) throw result.error;
      return Object.fromEntries(Object.entries(result.heads).map(([head, one]) => [head, rawAnswer(one)]));
    });
  };

  return {
    predict,
    async predictOne(row, given) {
      const [result] = await predict([row], { ...given, badOutput: "throw" });
      if (!result!.ok) throw result!.error;
      return result!.heads;
    },
    async batchParity(rows, tolerance = manifest.runtime.batchTolerance) {
      const texts = (row: Row) =>
        Object.values(row).reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 0), 0);
      const some = parityRows(rows, texts).map((index) => ({ index, row: rows[index]! }));
      const results = await run(
        some.map(({ row }) => row),
        { batch: 1 },
      );
      return batchParity(
        some.filter((_, i) => results[i]!.ok),
        {
          tolerance,
          batch: Math.max(1, options.batch ?? manifest.runtime.batch),
          length: ({ row }) => texts(row),
          index: ({ index }) => index,
          run: (batch) => raw(batch.map(({ row }) => row)),
          now: () => performance.now(),
        },
      );
    },
    features: readFeatures,
    activatedTwice: () => Promise.resolve([]),
    async runTensors(feeds, fetches) {
      if (tensors === null)
        throw new EvaluationError({
          code: "feeds",
          problem: "this composition reads fields that are no tensors",
          expected: "rows, by POST /models/{id}/predict",
        });
      const results = await run(tensors.rows(feeds), {});
      const answers = tensors.answers(
        results.map((result, i) => {
          if (result.ok) return result.heads;
          const { problem, place, expected, received, step } = result.error.diagnostic;
          throw new EvaluationError({
            code: "feeds",
            problem: `row ${i}, step ${step ?? "?"}: ${place ?? ""}: ${problem}`,
            ...(expected === undefined ? {} : { expected }),
            ...(received === undefined ? {} : { received }),
          });
        }),
      );
      return fetches === undefined
        ? answers
        : Object.fromEntries(Object.entries(answers).filter(([name]) => fetches.includes(name)));
    },
    async warmUp() {
      if (manifest.serving.examples.length === 0) for (const one of predictors.values()) await one.warmUp();
      else {
        const results = await run(manifest.serving.examples, { batch: 1 });
        for (const result of results) if (!result.ok) throw result.error;
      }
    },
    describe() {
      const described = new Map([...predictors].map(([id, one]) => [id, one.describe()] as const));
      const hash = createHash("sha256");
      for (const [id, { sha256, filesDigest, rules }] of described)
        hash.update(`${id}\0${sha256}\0${filesDigest}\0${rules?.sha256 ?? ""}\n`);
      const all = [...described.values()];
      const { rules: _, ...shared } = all[0]!;
      return {
        ...shared,
        id: manifest.id,
        version: manifest.version,
        task: manifest.task,
        sha256: manifest.artifact.sha256,
        source: modelsOf(loaded)
          .map((model) => `${model.manifest.id} ${model.manifest.version}`)
          .join(", "),
        modelBytes: all.reduce((sum, { modelBytes }) => sum + modelBytes, 0),
        filesDigest: hash.digest("hex"),
        catalogueSizes: Object.assign({}, ...all.map(({ catalogueSizes }) => catalogueSizes)) as Record<string, number>,
        optimised: null,
        inputs: tensors?.inputs ?? [],
        outputs: tensors?.outputs ?? [],
        steps: steps.map(({ name, model }) => {
          const { version, sha256, modelBytes } = described.get(model)!;
          return { step: name, model, version, sha256, modelBytes };
        }),
      };
    },
    close,
  };
}

/** The gate's histories of one model's lookups; they are named STEP-LOOKUP in the composition's dataset. */
function storesOf(
  model: string,
  steps: ReturnType<typeof stepsOf>,
  stores: NonNullable<OpenOptions["stores"]>,
): NonNullable<OpenOptions["stores"]> {
  const own = steps.filter((step) => step.model === model).map(({ name }) => featureName(name, ""));
  return Object.fromEntries(
    Object.entries(stores).flatMap(([name, store]) => {
      const prefix = own.find((one) => name.startsWith(one));
      return prefix === undefined ? [] : [[name.slice(prefix.length), store]];
    }),
  );
}

/**
 * Reads what a profile counts of rows: the features that the steps make of the row's own fields. Fields that a step has
 * from others are given a value that changes none of these.
 */
function featureReader(
  { manifest }: LoadedManifest,
  { graph, models }: Pick<Composition, "graph" | "models">,
  predictors: ReadonlyMap<string, Predictor>,
): Predictor["features"] {
  const counted = featuresOf(manifest.preprocess).features.map(({ name }) => name);
  const steps = stepsOf(graph.root).flatMap((step) => {
    const model = models.get(step.model)!.manifest;
    const names = featuresOf(model.preprocess).features.map(({ name }) => featureName(step.name, name));
    const places = names.flatMap((name, from) => {
      const into = counted.indexOf(name);
      return into === -1 ? [] : [{ from, into }];
    });
    const fields = fieldsOf(model);
    const samples = Object.fromEntries(step.inputs.map(({ field }) => [field, sampleOf(fields.get(field)!)]));
    return places.length === 0 ? [] : [{ model: step.model, places, samples }];
  });
  return async (rows) => {
    const read: (Float64Array | null)[] = rows.map(() => null);
    for (const { model, places, samples } of steps) {
      const found = await predictors.get(model)!.features(rows.map((row) => ({ ...row, ...samples })));
      found.forEach((values, i) => {
        if (values === null) return;
        const own = (read[i] ??= new Float64Array(counted.length).fill(Number.NaN));
        for (const { from, into } of places) own[into] = values[from]!;
      });
    }
    return read;
  };
}
