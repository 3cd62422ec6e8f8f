import { join } from "node:path";
import { parse } from "yaml";
import { ConfigurationError } from "../../models/core/errors.ts";
import { placeIn, type LoadedRemote } from "../../models/core/predictor/load.ts";
import { remoteBackends } from "../../models/remote/manifest.ts";
import { readAtReference, type Reference } from "./baseline.ts";
import type { Git } from "./git.ts";

/** Whether the model in a folder had an artifact at the reference, according to the backend in its model.yaml there. */
export async function hadArtifact(reference: Reference, modelDir: string, root: string, git: Git): Promise<boolean> {
  const text = await readAtReference(reference, join(modelDir, "model.yaml"), root, git);
  if (text === null) return false;
  try {
    return !remoteBackends.includes((parse(text) as { backend?: unknown } | null)?.backend);
  } catch {
    // A file that could not be read did not declare a remote model either.
    return true;
  }
}

/**
 * Makes sure that no change takes a model out of the gate by declaring that a provider answers for it now.
 *
 * @throws ConfigurationError for a remote model that had an artifact at the reference
 */
export async function forbidBackendSwitch(
  remote: readonly LoadedRemote[],
  reference: Reference,
  root: string,
  git: Git,
): Promise<void> {
  for (const loaded of remote) {
    if (!(await hadArtifact(reference, loaded.dir, root, git))) continue;
    throw new ConfigurationError({
      code: "no-longer-measured",
      place: placeIn(loaded, ["backend"]),
      problem: `the model ${loaded.manifest.id} was measured at the ${reference.kind === "commit" ? reference.label : "baseline"}, and nothing can judge that a remote provider answers for it now`,
      expected: "an artifact, as before",
      received: `backend: ${loaded.manifest.backend}`,
      hint: "give the remote model a folder and an id of its own, and take the other one out of sluice.yaml",
    });
  }
}
