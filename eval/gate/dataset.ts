import type { Manifest } from "../../models/core/manifest/manifest.ts";
import { placeIn, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { withCopies } from "../augment/copies.ts";
import { readDataset, type DatasetDeps, type EvaluationDataset } from "../dataset/read.ts";
import type { EvaluationContext } from "./context.ts";

/** Where a dataset's files are. `dir`: the folder that its paths are relative to; `root`: no data is read from outside. */
export type DataPlace = { dir: string } & Pick<DatasetDeps, "root" | "placeIn">;

/** The place of a candidate's own data. */
export function ownPlace(loaded: LoadedManifest, { repository }: Pick<EvaluationContext, "repository">): DataPlace {
  return { dir: loaded.dir, root: repository, placeIn: (path) => placeIn(loaded, path) };
}

/** Reads the dataset that a manifest declares, with the settings of this run, and the altered copies of its rows. */
export async function readEvaluationDataset(
  manifest: Pick<Manifest, "dataset" | "postprocess" | "preprocess"> & Partial<Pick<Manifest, "rules">>,
  { dir, ...place }: DataPlace,
  { cacheDir, workDir, lfs, deps }: EvaluationContext,
): Promise<EvaluationDataset> {
  const dataset = await readDataset(manifest, dir, {
    ...place,
    env: deps.env,
    fetch: deps.fetch,
    cacheDir,
    workDir,
    lfs,
    ...(deps.signal === undefined ? {} : { signal: deps.signal }),
  });
  return withCopies(dataset, manifest);
}
