import { createHash } from "node:crypto";
import type { ModelDescription } from "../../models/core/predictor/predictor.ts";
import { artifactFiles } from "../../models/core/manifest/artifact-files.ts";
import type { Manifest } from "../../models/core/manifest/manifest.ts";
import { canonical } from "../dataset/canonical.ts";

export type CacheKeyParts = {
  manifest: Pick<
    Manifest,
    "artifact" | "generate" | "preprocess" | "inputs" | "outputs" | "postprocess" | "rules" | "runtime"
  >;
  model: Pick<ModelDescription, "sha256" | "filesDigest" | "onnxruntime" | "provider" | "threads">;
  datasetDigest: string;
  heads: readonly string[];
  /** Instruction sets of the processor, because quantized models answer differently on different ones. */
  cpuFlags: readonly string[];
  chunkRows: number;
  sluiceVersion: string;
};

/**
 * SHA-256 (hex) over everything that a model's answers to a dataset depend on. Anything that changes a score, or the
 * batches in which rows are run, changes the key. The places where the model and the data are stored do not.
 */
export function predictionCacheKey({
  manifest,
  model,
  datasetDigest,
  heads,
  cpuFlags,
  chunkRows,
  sluiceVersion,
}: CacheKeyParts): string {
  const { batch, sortByLength } = manifest.runtime;
  const content = {
    what: "sluice predictions 3",
    model: model.sha256,
    externalData: artifactFiles(manifest.artifact).flatMap(({ file }) =>
      file.externalData.map(({ path, sha256 }) => [path, sha256]),
    ),
    preprocess: manifest.preprocess,
    inputs: manifest.inputs,
    outputs: manifest.outputs,
    ...(manifest.generate === undefined ? {} : { generate: manifest.generate }),
    postprocess: manifest.postprocess,
    ...(manifest.rules === undefined ? {} : { rules: manifest.rules }),
    files: model.filesDigest,
    dataset: datasetDigest,
    heads,
    run: {
      onnxruntime: model.onnxruntime,
      provider: model.provider,
      threads: model.threads,
      batch,
      sortByLength,
      chunkRows,
    },
    machine: { arch: process.arch, platform: process.platform, cpuFlags: cpuFlags.toSorted() },
    sluice: sluiceVersion,
  };
  return createHash("sha256").update(canonical(content)).digest("hex");
}
