import { readDataset, type EvaluationDataset } from "../dataset/read.ts";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import type { EvaluationContext } from "./context.ts";

/** The candidate's dataset. The baseline answers the same rows. */
export function readEvaluationDataset(
  loaded: LoadedManifest,
  { cacheDir, deps }: Pick<EvaluationContext, "cacheDir" | "deps">,
): Promise<EvaluationDataset> {
  return readDataset(loaded.manifest, loaded.dir, {
    env: deps.env,
    fetch: deps.fetch,
    cacheDir,
    ...(deps.signal === undefined ? {} : { signal: deps.signal }),
  });
}
