import { join } from "node:path";
import { EvaluationError } from "../../models/core/errors.ts";
import type { Manifest } from "../../models/core/manifest/manifest.ts";
import type { Observe } from "../../models/core/predictor/observe.ts";
import type { Predictor, RowResult } from "../../models/core/predictor/predictor.ts";
import { assertBadRows, describeBadRows, type BadRow } from "../dataset/bad-rows.ts";
import type { EvaluationDataset } from "../dataset/read.ts";
import { shardRange, type Shard } from "../dataset/shard.ts";
import type { Predictions } from "../predictions/predictions.ts";
import { sluiceVersion } from "../../models/core/version.ts";
import { predictionCacheKey } from "./cache-key.ts";
import { openChunkStore, type Chunk, type ChunkStore } from "./chunk-store.ts";
import type { HeadColumns } from "./columns.ts";
import { headColumns } from "./head-columns.ts";
import { labelledPredictions } from "./labelled.ts";
import type { RuledRow } from "./ruled-row.ts";

export type PredictRequest = {
  predictor: Pick<Predictor, "predict" | "describe">;
  /** The model's manifest. Its own dataset section is not used: a baseline answers the candidate's rows. */
  manifest: Manifest;
  dataset: EvaluationDataset;
  /** Only these heads; default: all with labels. */
  heads?: readonly string[];
  /** Only this part of the rows; default: all of them. */
  shard?: Shard;
  /** Gets the features of some rows, by their index in the dataset; not of rows whose answers are cached. */
  observe?: Observe;
  /** Number of rows after which the signal is checked, progress is reported and the state is saved. */
  chunkRows?: number;
  /** Instruction sets of this processor, part of the cache key. */
  cpuFlags?: readonly string[];
};

export type PredictDeps = {
  /** Where finished chunks are kept; null for nowhere. */
  cacheDir: string | null;
  signal?: AbortSignal;
  /** Number of rows done, of all rows, and of rows that came from the cache. */
  onProgress?: (progress: { done: number; total: number; cached: number }) => void;
};

export type PredictedDataset = {
  /** One per head, over the rows that the model could take, in the dataset's order. */
  predictions: Predictions[];
  /** Heads of which a row of the dataset became a row per step of its forecast. */
  expandedHeads: string[];
  /** Rows of the dataset that this model could not take. */
  badRows: BadRow[];
  /** Rows for which rules fired, in order; empty for a model without rules. */
  ruled: RuledRow[];
  /** Row range of the dataset. */
  from: number;
  to: number;
  cachedRows: number;
  notes: string[];
};

/**
 * Runs a model over a dataset chunk by chunk. Finished chunks are cached by content, so an interrupted run computes
 * only the rest, and an identical run computes nothing. Cached answers are bit for bit those of the model. A damaged
 * chunk is computed again, with a note.
 *
 * @throws EvaluationError `too-many-bad-rows`, `no-rows`, `label-mismatch`
 *   when a head does not know one of the dataset's labels, and those of the model; ConfigurationError
 *   `no-labelled-head`, `shard-range`; the signal's reason when aborted
 */
export async function predictDataset(request: PredictRequest, deps: PredictDeps): Promise<PredictedDataset> {
  const { manifest, dataset } = request;
  const chunkRows = request.chunkRows ?? (hears(manifest) ? heardRows : 512);
  const heads = headColumns(manifest, dataset.heads, request.heads);
  const { from, to } = shardRange(dataset.rows.length, request.shard ?? { index: 0, count: 1 });
  const store = deps.cacheDir === null ? null : storeFor(request, heads, chunkRows, deps.cacheDir);
  for (const { check } of heads) for (const row of dataset.rows) check(row);
  const notes: string[] = [];
  const chunks: Chunk[] = [];
  const badRows: BadRow[] = [];
  let cachedRows = 0;

  for (let start = from; start < to; start += chunkRows) {
    deps.signal?.throwIfAborted();
    const end = Math.min(start + chunkRows, to);
    const kept = (await store?.read(start, end, heads)) ?? null;
    let chunk: Chunk;
    if (kept !== null && typeof kept !== "string") {
      chunk = kept;
      cachedRows += end - start;
    } else {
      if (kept !== null)
        notes.push(`cached predictions of rows ${start} to ${end - 1} were computed again: the file ${kept}`);
      chunk = await compute(request, heads, start, end, deps.signal);
      // A full or read-only disk costs the next run time, but must not cost this run its result.
      await store
        ?.write(chunk)
        .catch(
          (error: Error) =>
            notes.length < 20 &&
            notes.push(`predictions of rows ${start} to ${end - 1} could not be cached: ${error.message}`),
        );
    }
    for (const [row, reason] of chunk.errors)
      badRows.push({ place: `${dataset.placeOf(row)} (${dataset.rows[row]!.id})`, reason });
    chunks.push(chunk);
    deps.onProgress?.({ done: end - from, total: to - from, cached: cachedRows });
  }

  // At the end, so that the error counts them all.
  assertBadRows([...dataset.badRows, ...badRows], dataset.rows.length + dataset.badRows.length, dataset);
  const failed = new Set(chunks.flatMap((chunk) => chunk.errors.map(([row]) => row)));
  if (request.shard === undefined && failed.size === dataset.rows.length)
    throw new EvaluationError({
      code: "no-rows",
      problem: `the model can take no row of dataset "${dataset.id}":\n${describeBadRows(badRows)}`,
    });
  const taken: number[] = [];
  for (let row = from; row < to; row++) if (!failed.has(row)) taken.push(row);
  const assembled = heads.map((head) => assemble(head, chunks, taken, from, chunkRows, dataset));
  return {
    predictions: assembled.map(({ predictions }) => predictions),
    expandedHeads: assembled.flatMap(({ predictions, expanded }) => (expanded ? [predictions.head] : [])),
    badRows,
    ruled: chunks.flatMap((chunk) => chunk.ruled.map((one) => ({ ...one, row: dataset.rows[one.row]!.id }))),
    from,
    to,
    cachedRows,
    notes,
  };
}

/** Rows of a chunk whose sounds are in memory together: 64 of 15 seconds are 60 MB. */
const heardRows = 64;

const hears = ({ preprocess }: Manifest) => Object.values(preprocess).some(({ kind }) => kind === "audio");

function storeFor(
  { predictor, manifest, dataset, cpuFlags = [] }: PredictRequest,
  heads: readonly HeadColumns[],
  chunkRows: number,
  cacheDir: string,
): ChunkStore {
  const key = predictionCacheKey({
    manifest,
    model: predictor.describe(),
    datasetDigest: dataset.digest,
    heads: heads.map((head) => head.head),
    cpuFlags,
    chunkRows,
    sluiceVersion,
  });
  return openChunkStore(join(cacheDir, "predictions", key), key);
}

async function compute(
  { predictor, manifest, dataset, observe }: PredictRequest,
  heads: readonly HeadColumns[],
  from: number,
  to: number,
  signal: AbortSignal | undefined,
): Promise<Chunk> {
  const rows = dataset.rows.slice(from, to);
  const results = await predictor.predict(
    rows.map(({ row }) => row),
    {
      batch: manifest.runtime.batch,
      sort: manifest.runtime.sortByLength,
      rowName: (index) => `${dataset.placeOf(from + index)} (${rows[index]!.id})`,
      ...(signal === undefined ? {} : { signal }),
      ...(observe === undefined
        ? {}
        : {
            observe: {
              wants: (index) => observe.wants(from + index),
              take: (index, features) => {
                observe.take(from + index, features);
              },
            },
          }),
    },
  );
  const scores = Object.fromEntries(
    heads.map(({ head, width }) => [head, new Float64Array(rows.length * width).fill(NaN)]),
  );
  const lists = Object.fromEntries(
    heads.flatMap(({ head, list }) => (list === null ? [] : [[head, new Array<unknown>(rows.length).fill(null)]])),
  ) as Chunk["lists"];
  const errors: Chunk["errors"] = [];
  const ruled: Chunk["ruled"] = [];
  results.forEach((result: RowResult, i) => {
    // A field with a placeholder may be missing from a row. But a value that is there and cannot be used is damage to
    // the dataset, which no figure may hide. A lookup's note is about the store, not about a field, and a text that is
    // cut is read as the manifest says.
    const damaged = result.ok
      ? result.notes?.find(
          ({ field, lookup, cut }) =>
            lookup === undefined && cut === undefined && (rows[i]!.row[field] ?? null) !== null,
        )
      : undefined;
    if (!result.ok) errors.push([from + i, result.error.message.replaceAll(/\n\s*/g, "; ")]);
    else if (damaged !== undefined) errors.push([from + i, `${damaged.field}: ${damaged.problem}`]);
    else
      for (const { head, width, write, list } of heads) {
        write(result.heads[head]!, scores[head]!, i * width);
        if (list !== null) lists[head]![i] = list(result.heads[head]!);
      }
    if (result.ok && damaged === undefined && result.rules !== undefined)
      ruled.push({ row: from + i, ...ruledRow(result.rules, heads) });
  });
  return { from, to, errors, scores, lists, ruled };
}

function ruledRow(
  { fired, own }: Extract<RowResult, { ok: true }>["rules"] & object,
  heads: readonly HeadColumns[],
): Omit<RuledRow, "row"> {
  return {
    fired: fired.map(({ rule }) => rule),
    own: Object.fromEntries(
      // A rule changes numbers and classes only.
      heads
        .filter(({ list }) => list === null)
        .map(({ head, width, write }) => {
          const numbers = new Float64Array(width);
          write(own[head]!, numbers, 0);
          return [head, [...numbers]];
        }),
    ),
  };
}

function assemble(
  column: HeadColumns,
  chunks: readonly Chunk[],
  taken: readonly number[],
  from: number,
  chunkRows: number,
  dataset: EvaluationDataset,
): ReturnType<typeof labelledPredictions> {
  const { head, width, list } = column;
  const numbers = new Float64Array(taken.length * width);
  const lists: unknown[] = [];
  taken.forEach((row, i) => {
    const chunk = chunks[Math.floor((row - from) / chunkRows)]!;
    const at = (row - chunk.from) * width;
    numbers.set(chunk.scores[head]!.subarray(at, at + width), i * width);
    if (list !== null) lists.push(chunk.lists[head]![row - chunk.from]);
  });
  return labelledPredictions(column, { numbers, lists }, taken, dataset);
}
