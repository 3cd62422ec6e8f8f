import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { z } from "zod";
import { ConfigurationError, EvaluationError } from "../../../models/core/errors.ts";
import { modelsOf, type LoadedManifest } from "../../../models/core/predictor/load.ts";
import type { ArtifactDeps } from "../../../models/core/artifact/artifact.ts";
import type { Row } from "../../../models/core/row.ts";
import { headsWriter } from "../../../models/core/postprocess/heads-json.ts";
import { positiveLabel } from "../../../models/core/postprocess/classification.ts";
import { compileResponse, responseSchema } from "../../../models/core/postprocess/response.ts";
import type { Head } from "../../../models/core/postprocess/schema.ts";
import { spanTypes } from "../../../models/core/postprocess/word-labels.ts";
import { rowChecker, rowSchema } from "../../../models/core/manifest/rows.ts";
import type { Settings } from "../settings/settings.ts";
import { answerCost } from "./answer-cost.ts";
import type { Engine } from "../engine/engine.ts";
import { openEngine } from "../engine/open-engine.ts";
import { probeRows } from "../engine/probe-rows.ts";
import { MIN_REPEATS } from "../engine/sweep.ts";
import { planBatches } from "../scheduling/batching-plan.ts";
import {
  createScheduler,
  type RequestDeadline,
  type Scheduler,
  type SchedulerEvents,
} from "../scheduling/scheduler.ts";
import type { Predictions, ServedModel } from "./served-model.ts";
import { createRecorder, type Recorder } from "../watch/recorder.ts";
import { only } from "./only.ts";
import { streamed } from "./streamed.ts";
import { speechOf } from "./speech-of.ts";
import { compositionCard } from "./composition-card.ts";
import { largestSizes } from "./largest-sizes.ts";

const SWEPT = [4, 8, 16, 32] as const;
/** Rows that a sweep needs at most. */
const MOST = 32;
/** How long one chunk of a large request may occupy the main thread, or a worker. */
const CHUNK_MS = { main: 4, worker: 40, process: 40 };
const MAX_CHUNK_ROWS = 256;

export type LoadTimes = { openMs: number; warmUpMs: number; sweepMs: number };

/**
 * Opens a model from its folder and makes it ready to answer: checks its digest, compares its graph with the manifest,
 * chooses an engine, runs the examples and measures batch sizes.
 *
 * @throws ConfigurationError, EvaluationError when any of that fails; nothing is left open then.
 */
export async function loadLocalModel(
  loaded: LoadedManifest,
  settings: Settings,
  events: SchedulerEvents,
  deps: ArtifactDeps,
): Promise<ServedModel & { times: LoadTimes }> {
  const start = performance.now();
  const { dir } = loaded;
  const { engine, reason, maxRowMs } = await openEngine(loaded, settings, deps);
  const opened = performance.now();
  try {
    await checkExamples(loaded, engine);
    const warm = performance.now();
    const plan = planBatches(await sweep(loaded, engine, maxRowMs, settings.sweepBudgetMs), {
      onMainThread: engine.kind === "main",
      maxBatch: settings.maxBatch,
      maxDelayUs: settings.maxDelayUs,
    });
    const times = { openMs: opened - start, warmUpMs: warm - opened, sweepMs: performance.now() - warm };
    const { id, version, sha256 } = { ...loaded.manifest, sha256: engine.describe().sha256 };
    const watch = createRecorder(
      loaded,
      { id, version, sha256 },
      await readFile(join(dir, "profile.json"), "utf8").catch(() => null),
      { now: Date.now, capacity: settings.feedbackPredictions },
    );
    const observing = {
      ...plan,
      ...(watch.observes ? { observe: settings.featureShare } : {}),
      ...(loaded.manifest.generate === undefined ? {} : { interruptible: true }),
    };
    const scheduler = createScheduler(engine, observing, settings, roughLength(loaded), events);
    return serve(loaded, engine, scheduler, {
      plan,
      watch,
      reason,
      maxRowMs,
      times,
      gate: await readJson(join(dir, "receipt.json")),
      speech: speechOf(loaded, deps),
      readme: await readFile(join(dir, "README.md"), "utf8").catch(() => null),
    });
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** Every serving example must get an answer. */
async function checkExamples(loaded: LoadedManifest, engine: Engine): Promise<void> {
  const examples = loaded.manifest.serving.examples;
  if (examples.length === 0) return;
  const { answers } = (await engine.rows(examples, { maxBatch: 1, tokenBudget: null }))!;
  for (const [i, answer] of answers.entries()) {
    if (!answer.ok)
      throw new (answer.refused ? ConfigurationError : EvaluationError)({
        ...answer.diagnostic,
        problem: `serving.examples[${i}]: ${answer.diagnostic.problem}`,
      });
  }
}

async function sweep(loaded: LoadedManifest, engine: Engine, maxRowMs: number | null, budgetMs: number) {
  if (maxRowMs === null || budgetMs === 0) return [];
  const texts = Object.values(loaded.manifest.preprocess).some((step) => step.kind === "text");
  // As many rows as fit into the budget even if all took as long as the slowest. Batches larger than that are not tried
  // on texts, whose lengths differ; other rows cost alike, and a large batch of them is tried on as many as it takes.
  const runs = (SWEPT.length + 1) * (texts ? 1 : MIN_REPEATS);
  const fitting = Math.max(texts ? 2 : 1, Math.min(MOST, Math.floor(budgetMs / (runs * maxRowMs))));
  const ways = SWEPT.flatMap((batch) => (texts ? [128, 512] : [null]).map((tokenBudget) => ({ batch, tokenBudget })));
  const cheapMs = engine.kind === "main" ? 60 : budgetMs;
  return engine.sweep(probeRows(loaded.manifest, texts ? fitting : MOST), {
    ways,
    budgetMs: Math.min(budgetMs, cheapMs),
    ...(texts ? {} : { alike: fitting }),
  });
}

type Facts = {
  plan: ReturnType<typeof planBatches>;
  watch: Recorder;
  reason: string;
  maxRowMs: number | null;
  times: LoadTimes;
  gate: unknown;
  readme: string | null;
  speech: ReturnType<typeof speechOf>;
};

function serve(
  loaded: LoadedManifest,
  engine: Engine,
  scheduler: Scheduler,
  facts: Facts,
): ServedModel & { times: LoadTimes } {
  const { manifest } = loaded;
  const described = engine.describe();
  const schema = rowSchema(manifest);
  const { response } = manifest.serving;
  const loadedAt = new Date().toISOString();
  const lengthOf = roughLength(loaded);
  const cost = answerCost(manifest.prices, facts.plan.sweep);
  const perRowMs = facts.plan.sweep.length === 0 ? 1 : facts.plan.runMs / facts.plan.maxBatch;
  const chunkRows = Math.max(
    facts.plan.maxBatch,
    Math.min(MAX_CHUNK_ROWS, Math.floor(CHUNK_MS[engine.kind] / perRowMs)),
  );

  return {
    id: manifest.id,
    version: manifest.version,
    digest: `${described.sha256}:${described.filesDigest}:${manifest.version}:${described.rules?.sha256 ?? ""}:${JSON.stringify(manifest.reasons ?? null)}`,
    cacheable: modelsOf(loaded).every((model) =>
      Object.values(model.manifest.preprocess).every((step) => step.kind !== "lookup"),
    ),
    rowSchema: schema,
    example: manifest.serving.examples[0] ?? null,
    wellFormed: rowChecker(manifest),
    headsJson: headsWriter(manifest.postprocess),
    imageFields: Object.values(manifest.preprocess).flatMap((step) =>
      step.kind === "image"
        ? [{ name: step.field, maxBytes: step.maxBytes, urls: step.urls, optional: step.missing !== "reject" }]
        : [],
    ),
    ...(facts.speech === null ? {} : { speech: facts.speech.speech }),
    audioFields: Object.values(manifest.preprocess).flatMap((step) =>
      step.kind === "audio" ? [{ name: step.field, maxBytes: step.maxBytes }] : [],
    ),
    ...(response === undefined
      ? {}
      : {
          response: {
            write: compileResponse(response, manifest.postprocess),
            schema: responseSchema(response, manifest.postprocess),
          },
        }),
    times: facts.times,
    maxRows: null,
    ...(manifest.serving.jobs === undefined ? {} : { jobs: manifest.serving.jobs }),
    condition: () => ({ state: "ready", diagnostic: null }),
    card: () => ({
      task: manifest.task,
      description: manifest.description,
      ...(manifest.license === undefined ? {} : { license: manifest.license }),
      backend: "local",
      ...(loaded.composition === undefined
        ? {}
        : { composition: compositionCard(loaded.composition, described.steps ?? []) }),
      ...(manifest.architecture.length === 0 ? {} : { architecture: manifest.architecture }),
      ...(manifest.dataset === undefined
        ? {}
        : {
            dataset: {
              id: manifest.dataset.id,
              description: manifest.dataset.description ?? null,
              provenance: manifest.dataset.provenance ?? null,
              bestPossible: manifest.dataset.bestPossible,
            },
          }),
      ...(response === undefined ? {} : { response }),
      input: {
        schema: z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }),
        examples: manifest.serving.examples,
      },
      preprocess: Object.entries(manifest.preprocess).map(([name, step]) => ({ name, kind: step.kind })),
      heads: manifest.postprocess.map((head) => ({
        name: head.name,
        kind: head.kind,
        ...headFacts(head, manifest.preprocess),
      })),
      ...(manifest.rules === undefined
        ? {}
        : {
            rules: {
              ...described.rules,
              list: manifest.rules.list.map(({ id, description, reasons }) => ({
                id,
                ...(description === undefined ? {} : { description }),
                reasons,
              })),
            },
          }),
      ...(manifest.reasons === undefined ? {} : { reasons: manifest.reasons }),
      graph: { inputs: described.inputs, outputs: described.outputs },
      artifact: {
        sha256: described.sha256,
        bytes: described.modelBytes,
        preprocessingSha256: described.filesDigest,
        optimisedSha256: described.optimised,
      },
      engine: {
        kind: engine.kind,
        slots: engine.slots,
        reason: facts.reason,
        slowestRowMs: facts.maxRowMs,
        provider: described.provider,
        providerNodes: described.providerNodes,
        threads: described.threads,
        onnxruntime: described.onnxruntime,
      },
      batching: {
        maxBatch: facts.plan.maxBatch,
        tokenBudget: facts.plan.tokenBudget,
        maxDelayUs: facts.plan.maxDelayUs,
        gain: facts.plan.gain,
        reason: facts.plan.reason,
        sweep: facts.plan.sweep,
      },
      loaded: { at: loadedAt, ...facts.times },
      ...(manifest.prices === undefined ? {} : { prices: manifest.prices }),
      ...(cost === null ? {} : { cost }),
      gate: facts.gate,
      readme: facts.readme,
    }),
    predict: (row, requestDeadline) => scheduler.rows([row], requestDeadline).then(only),
    predictMany: (rows, requestDeadline) =>
      inChunks(rows, chunkRows, lengthOf, engine.slots + 1, scheduler, requestDeadline),
    stream: manifest.generate === undefined ? null : (row, deadline) => streamed(scheduler, row, deadline),
    watch: facts.watch,
    // A composition whose rows are no tensors has no inputs.
    tensors:
      described.inputs.length === 0
        ? null
        : {
            inputs: described.inputs,
            outputs: described.outputs,
            largest: largestSizes(manifest, described.inputs),
            run: (feeds, fetches, rows, requestDeadline) => scheduler.tensors(feeds, fetches, rows, requestDeadline),
          },
    load: () => ({
      ...scheduler.state(),
      liveAt: scheduler.liveAt(),
      estimatedWaitMs: scheduler.estimatedWaitMs(),
    }),
    async close() {
      await scheduler.drain();
      await engine.close();
      await facts.speech?.close();
    },
  };
}

/** The row field with the text that spans are pieces of. */
function textFieldOf(
  head: Head & { kind: "spans" },
  preprocess: LoadedManifest["manifest"]["preprocess"],
): string | undefined {
  const step = Object.entries(preprocess).find(([name, { kind }]) =>
    head.text === undefined ? kind === "text" : name === head.text,
  )?.[1];
  return step?.kind === "text" ? step.field : undefined;
}

/** What a client has to know of a head besides its name and kind. */
function headFacts(head: Head, preprocess: LoadedManifest["manifest"]["preprocess"]): Record<string, unknown> {
  switch (head.kind) {
    case "classification":
      return {
        labels: head.labels,
        ...(head.labels.length === 2 ? { positive: positiveLabel(head) } : {}),
        ...(head.threshold === undefined ? {} : { threshold: head.threshold }),
        ...(head.top === undefined ? {} : { top: head.top }),
      };
    case "regression":
      return head.unit === undefined ? {} : { unit: head.unit };
    case "ranking":
      return {
        k: head.k,
        catalogueSha256: head.catalogue.sha256,
        ...(head.exclude === undefined ? {} : { exclude: head.exclude }),
      };
    case "series":
      return {
        horizon: head.horizon,
        ...(head.quantiles === undefined ? {} : { quantiles: head.quantiles }),
        ...(head.unit === undefined ? {} : { unit: head.unit }),
        ...(head.history === undefined ? {} : { history: head.history }),
        ...(head.flag === undefined ? {} : { flag: head.flag }),
      };
    case "spans":
      return { types: spanTypes(head.labels), field: textFieldOf(head, preprocess) };
    case "text":
      return {};
  }
}

/**
 * Sends a large request through the queue in chunks, a few at a time; single rows get in between, ahead of those that
 * wait. Texts are
 * first sorted by length over the whole request.
 */
async function inChunks(
  rows: readonly Row[],
  chunkRows: number,
  lengthOf: ((row: Row) => number) | null,
  atOnce: number,
  scheduler: Scheduler,
  requestDeadline: RequestDeadline,
): Promise<Predictions> {
  scheduler.admit(rows.length, requestDeadline.deadlineAt);
  const order = rows.map((_, i) => i);
  if (lengthOf !== null) {
    const lengths = rows.map(lengthOf);
    order.sort((a, b) => lengths[a]! - lengths[b]!);
  }
  const outcomes = new Array<Predictions["outcomes"][number]>(rows.length);
  const timing = { queueMs: 0, inferenceMs: 0 };
  const release = scheduler.hold();
  const limit = pLimit(atOnce);
  const chunks = Array.from({ length: Math.ceil(order.length / chunkRows) }, (_, i) =>
    order.slice(i * chunkRows, (i + 1) * chunkRows),
  );
  try {
    await limit.map(chunks, async (chunk) => {
      const ticket = await scheduler.rows(
        chunk.map((i) => rows[i]!),
        { ...requestDeadline, admitted: true, part: chunks.length > 1 },
      );
      chunk.forEach((index, i) => {
        outcomes[index] = ticket.answers[i]!;
      });
      timing.queueMs += ticket.queueMs;
      timing.inferenceMs += ticket.inferenceMs;
    });
    return { outcomes, timing };
  } finally {
    // After a failure the rest of this request is not run.
    limit.clearQueue();
    release();
  }
}

/**
 * Approximate number of tokens of a row's longest text, without running the tokenizer: a word piece has about four
 * characters.
 */
function roughLength(loaded: LoadedManifest): ((row: Row) => number) | null {
  const texts = Object.values(loaded.manifest.preprocess).flatMap((step) => (step.kind === "text" ? [step] : []));
  if (texts.length === 0) return null;
  return (row) =>
    texts.reduce((most, step) => {
      const text = row[step.field];
      return Math.max(most, typeof text === "string" ? Math.min(step.maxTokens, 2 + Math.ceil(text.length / 4)) : 1);
    }, 1);
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as unknown;
  } catch {
    return null;
  }
}
