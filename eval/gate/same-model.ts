import { isDeepStrictEqual } from "node:util";
import { artifactFiles } from "../../models/core/manifest/artifact-files.ts";
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
  const { task, preprocess, inputs, outputs, postprocess, rules, runtime, artifact, generate } = manifest;
  return {
    sha256: run.identity.sha256,
    externalData: artifactFiles(artifact).map(({ role, file }) => [role, file.externalData]),
    task,
    preprocess,
    inputs,
    outputs,
    generate,
    postprocess,
    rules,
    runtime,
  };
}
