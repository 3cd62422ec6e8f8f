import { isDeepStrictEqual } from "node:util";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import type { ModelRun } from "./run-model.ts";

type Evaluated = {
  loaded: LoadedManifest;
  run: Pick<ModelRun, "filesDigest"> & { identity: Pick<ModelRun["identity"], "sha256"> };
};

/**
 * Whether two models are the same by construction: the same weights (external data included), the same preprocessing
 * files, and the same declarations of how rows go in, how answers come out, by which rules, and how the model runs. Every paired
 * difference is then exactly 0.
 */
export function isSameModel(candidate: Evaluated, baseline: Evaluated): boolean {
  return (
    candidate.run.filesDigest === baseline.run.filesDigest &&
    isDeepStrictEqual(identityOf(candidate), identityOf(baseline))
  );
}

function identityOf({ loaded: { manifest }, run }: Evaluated) {
  const { task, preprocess, inputs, outputs, postprocess, rules, runtime, artifact } = manifest;
  return {
    sha256: run.identity.sha256,
    externalData: artifact.externalData,
    task,
    preprocess,
    inputs,
    outputs,
    postprocess,
    rules,
    runtime,
  };
}
