import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fetchArtifact, type ArtifactDeps } from "../artifact/artifact.ts";
import type { LoadedManifest } from "./load.ts";
import {
  artifactDigests,
  digestOf,
  OPTIMISED_FOLDER,
  OPTIMISED_GRAPH,
  OPTIMISED_WEIGHTS,
  platformHere,
  recordFile,
  type OptimisedRecord,
} from "../session/optimised.ts";
import { openPredictor } from "./predictor.ts";
import { runtimeVersion, writeOptimisedGraph } from "../session/session.ts";

/**
 * For a smaller model an optimised form does not open faster, and the memory that it saves is not worth the disk space;
 * see bench/results/serving-optimised.md.
 */
const MIN_BYTES = 32 * 1024 * 1024;

export type Outcome =
  | { made: true; bytes: number; compared: number; openMs: { artifact: number; optimised: number } }
  | { made: false; why: string };

/**
 * Writes a form of a model's graph that opens faster. It has the optimisations that do not depend on the processor, and
 * its weights are in a file that the runtime maps into memory. The form is kept only if it gives the model's examples
 * the same answers, bit for bit.
 *
 * @throws EvaluationError, ConfigurationError when the artifact itself cannot be used.
 */
export async function optimise(loaded: LoadedManifest, deps: ArtifactDeps, minBytes = MIN_BYTES): Promise<Outcome> {
  const { artifact, generate, runtime, serving } = loaded.manifest;
  const folder = join(loaded.dir, OPTIMISED_FOLDER);
  await rm(folder, { recursive: true, force: true });
  if (generate !== undefined) return { made: false, why: "it generates: its decoder runs as it is" };
  if (artifact.path === undefined) return { made: false, why: "its weights come from the Hub when it starts" };
  if (runtime.provider !== "cpu") return { made: false, why: `it runs on ${runtime.provider}` };
  const known = (await stat(join(loaded.dir, artifact.path)).catch(() => null))?.size ?? 0;
  if (artifact.externalData.length === 0 && known < minBytes)
    return { made: false, why: `${known} bytes are less than ${minBytes}` };
  if (serving.examples.length === 0)
    return { made: false, why: "there are no serving.examples to compare answers with" };
  const model = await fetchArtifact(artifact, loaded.dir, deps);
  if (model.totalBytes < minBytes) return { made: false, why: `${model.totalBytes} bytes are less than ${minBytes}` };
  await mkdir(folder);
  const giveUp = async (why: string): Promise<Outcome> => {
    await rm(folder, { recursive: true, force: true });
    return { made: false, why };
  };
  await writeOptimisedGraph(model, join(folder, OPTIMISED_GRAPH), OPTIMISED_WEIGHTS);
  const weights = await digestOf(join(folder, OPTIMISED_WEIGHTS)).catch(() => null);
  if (weights === null) return giveUp("the runtime wrote no weights of its own file");
  const record: OptimisedRecord = {
    schemaVersion: 1,
    of: artifactDigests(artifact),
    bytes: model.totalBytes,
    onnxruntime: await runtimeVersion(),
    platform: platformHere,
    files: { graph: await digestOf(join(folder, OPTIMISED_GRAPH)), weights },
    compared: serving.examples.length,
  };
  await writeFile(recordFile(loaded.dir), `${JSON.stringify(record, null, 1)}\n`);
  const answers = async (optimised: boolean) => {
    const start = performance.now();
    const predictor = await openPredictor(loaded, { optimised }, deps);
    const openMs = performance.now() - start;
    try {
      if (optimised && predictor.describe().optimised === null) return { openMs, text: "not opened" };
      const rows = await predictor.predict(serving.examples, { batch: 1, badOutput: "row" });
      return { openMs, text: JSON.stringify(rows.map((row) => (row.ok ? row.heads : row.error.code))) };
    } finally {
      await predictor.close();
    }
  };
  const before = await answers(false);
  const after = await answers(true);
  if (before.text !== after.text) return giveUp("its answers to the examples differ");
  return {
    made: true,
    bytes: model.totalBytes,
    compared: serving.examples.length,
    openMs: { artifact: before.openMs, optimised: after.openMs },
  };
}
