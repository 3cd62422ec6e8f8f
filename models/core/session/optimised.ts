import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import type { Artifact } from "../manifest/manifest.ts";

/**
 * Folder inside a model's folder. It holds a form of the graph that opens faster and whose weights are mapped from a
 * file, so that processes share their memory.
 */
export const OPTIMISED_FOLDER = "optimised";
export const OPTIMISED_GRAPH = "model.onnx";
export const OPTIMISED_WEIGHTS = "model.onnx.data";
const RECORD = "optimised.json";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * optimised.json: the artifact that the graph was made from, the runtime that made it, and the digests of the written
 * files.
 */
const optimisedRecord = z.strictObject({
  schemaVersion: z.literal(1),
  of: z
    .array(sha256)
    .min(1)
    .describe("The artifact's digests as the manifest names them: the model, then its external data."),
  bytes: z.int().positive().describe("Size of the artifact."),
  onnxruntime: z.string(),
  platform: z.string(),
  files: z.strictObject({ graph: sha256, weights: sha256 }),
  compared: z.int().nonnegative().describe("Rows whose answers were equal, bit for bit, to the artifact's."),
});
export type OptimisedRecord = z.infer<typeof optimisedRecord>;

/** An optimised form of the very artifact that the manifest names; `source` says where it is. */
export type Optimised = { file: string; graph: Uint8Array; record: OptimisedRecord; source: string };

export const platformHere = `${process.platform}-${process.arch}`;
export const recordFile = (dir: string) => join(dir, OPTIMISED_FOLDER, RECORD);
export const artifactDigests = (artifact: Artifact): string[] => [
  artifact.sha256,
  ...artifact.externalData.map((file) => file.sha256),
];

/**
 * The form that `optimise` wrote beside a model, if it was made from this artifact, by this runtime and on this
 * platform, and its files are those that were compared. Otherwise null: the artifact itself serves just as well. The
 * weights are hashed as a stream, because the runtime maps them and they need not fit into memory.
 */
export async function findOptimised(dir: string, artifact: Artifact, onnxruntime: string): Promise<Optimised | null> {
  const folder = join(dir, OPTIMISED_FOLDER);
  const text = await readFile(recordFile(dir), "utf8").catch(() => null);
  if (text === null) return null;
  try {
    const record = optimisedRecord.parse(JSON.parse(text));
    if (
      record.of.join() !== artifactDigests(artifact).join() ||
      record.onnxruntime !== onnxruntime ||
      record.platform !== platformHere
    )
      return null;
    const file = join(folder, OPTIMISED_GRAPH);
    const graph = await readFile(file);
    if (
      createHash("sha256").update(graph).digest("hex") !== record.files.graph ||
      (await digestOf(join(folder, OPTIMISED_WEIGHTS))) !== record.files.weights
    )
      return null;
    return { file, graph, record, source: file };
  } catch {
    return null;
  }
}

/** SHA-256 of a file that may be larger than the memory. */
export async function digestOf(file: string): Promise<string> {
  const digest = createHash("sha256");
  await stat(file);
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), digest);
  return digest.digest("hex");
}
