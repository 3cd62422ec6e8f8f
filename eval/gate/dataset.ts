import { readDataset, type EvaluationDataset } from "../dataset/read.ts";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import type { EvaluationContext } from "./context.ts";

/** The candidate's dataset: baseline and candidate answer the same rows of it. */
export function readEvaluationDataset(loaded: LoadedManifest, { cacheDir, edges }: Pick<EvaluationContext, "cacheDir" | "edges">): Promise<EvaluationDataset> {
  return readDataset(loaded.manifest, loaded.dir, { env: edges.env, fetch: edges.fetch, cacheDir, ...(edges.signal === undefined ? {} : { signal: edges.signal }) });
}
