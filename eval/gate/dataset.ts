import { placeIn, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { readDataset, type EvaluationDataset } from "../dataset/read.ts";
import type { EvaluationContext } from "./context.ts";

/** The candidate's dataset. The baseline answers the same rows. */
export function readEvaluationDataset(
  loaded: LoadedManifest,
  { repository, cacheDir, workDir, lfs, deps }: EvaluationContext,
): Promise<EvaluationDataset> {
  return readDataset(loaded.manifest, loaded.dir, {
    root: repository,
    placeIn: (path) => placeIn(loaded, path),
    env: deps.env,
    fetch: deps.fetch,
    cacheDir,
    workDir,
    lfs,
    ...(deps.signal === undefined ? {} : { signal: deps.signal }),
  });
}
