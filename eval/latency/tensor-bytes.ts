import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import { compilePipeline } from "../../models/core/predictor/pipeline.ts";
import type { Predictor } from "../../models/core/predictor/predictor.ts";
import { readModelFiles } from "../../models/core/predictor/model-files.ts";
import type { GraphTensor } from "../../models/core/tensors.ts";
import type { OpenCommand } from "./protocol.ts";

/**
 * Bytes per row of the tensors that go into the graph and come out of it when it answers these rows in one run. Padding
 * is included; texts count as UTF-8.
 * @param cacheDir where the files of Git LFS pointers are
 */
export async function tensorBytesPerRow(
  loaded: LoadedManifest,
  predictor: Predictor,
  rows: OpenCommand["rows"],
  cacheDir: string,
): Promise<number> {
  const files = await readModelFiles(loaded, cacheDir);
  const pipeline = compilePipeline(loaded, files.steps, files.heads);
  const prepared = await Promise.all(
    rows.slice(0, pipeline.fixedBatch ?? rows.length).map((row) => pipeline.prepare(row)),
  );
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
