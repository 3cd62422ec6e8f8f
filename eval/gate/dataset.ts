import type { Manifest } from "../../models/core/manifest/manifest.ts";
import { readDataset, type EvaluationDataset } from "../dataset/read.ts";
import type { EvaluationContext } from "./context.ts";

/**
 * Reads the dataset that a manifest declares, with the settings of this run.
 * @param dir folder that the dataset's paths are relative to
 */
export function readEvaluationDataset(
  manifest: Pick<Manifest, "dataset" | "postprocess" | "preprocess">,
  dir: string,
  { cacheDir, deps }: Pick<EvaluationContext, "cacheDir" | "deps">,
): Promise<EvaluationDataset> {
  return readDataset(manifest, dir, {
    env: deps.env,
    fetch: deps.fetch,
    cacheDir,
    ...(deps.signal === undefined ? {} : { signal: deps.signal }),
  });
}
