import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import type { FeatureStore } from "../../models/core/lookup/store.ts";
import { compilePipeline } from "../../models/core/predictor/pipeline.ts";
import type { Predictor } from "../../models/core/predictor/predictor.ts";
import { readModelFiles } from "../../models/core/predictor/model-files.ts";
import type { GraphTensor } from "../../models/core/tensors.ts";
import type { OpenCommand } from "./protocol.ts";

/**
 * Bytes per row of the tensors that go into the graph and come out of it when it answers these rows in one run. Padding
 * is included; texts count as UTF-8.
 * @param cacheDir where the files of Git LFS pointers are
 * @param stores lookup step → the store that answers in the place of its own
 * @returns null for a composition, which has no graph of its own
 */
export async function tensorBytesPerRow(
  loaded: LoadedManifest,
  predictor: Predictor,
  rows: OpenCommand["rows"],
  cacheDir: string,
  stores: Readonly<Record<string, FeatureStore>>,
): Promise<number | null> {
  if (loaded.composition !== undefined) return null;
  const { steps, heads, close } = await readModelFiles(loaded, { cacheDir, env: process.env, stores });
  const pipeline = compilePipeline(loaded, steps, heads);
  const some = rows.slice(0, pipeline.fixedBatch ?? rows.length);
  const found = (await pipeline.lookUp?.(some, Date.now())) ?? null;
  const prepared = [];
  for (const [i, row] of some.entries()) prepared.push(await pipeline.prepare(row, found?.at(i)));
  await close();
  const feeds = pipeline.feeds(prepared);
  const answers = await predictor.runTensors(feeds, pipeline.fetches);
  return (bytesOf(feeds) + bytesOf(answers)) / prepared.length;
}

function bytesOf(tensors: Readonly<Record<string, GraphTensor>>): number {
  return Object.values(tensors).reduce(
    (sum, { data }) =>
      sum +
      ("byteLength" in data ? data.byteLength : data.reduce((length, text) => length + Buffer.byteLength(text), 0)),
    0,
  );
}
