import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { GraphManifestInput } from "../../../../models/core/graph/schema.ts";
import type { ManifestInput } from "../../../../models/core/manifest/manifest.ts";
import { loadManifest, type LoadedManifest } from "../../../../models/core/predictor/load.ts";
import { linearManifest, sequenceManifest, temporaryFolder, wordTokenizer } from "../build.ts";

const fixtures = join(import.meta.dirname, "../../../fixtures");

/** linear: a + 10 b + 100 c + 0.5, head `value`. mood: a text of t1 … t60, head `mood`. */
export const linear = (changes: Partial<ManifestInput> = {}) => linearManifest(changes);
export const mood = (changes: Partial<ManifestInput> = {}) =>
  sequenceManifest("sequence.onnx", { id: "mood", serving: { examples: [{ text: "t1 t2" }] }, ...changes });

/** A composition's manifest; `nodes` is all that it must have. */
export function graphOf(nodes: GraphManifestInput["nodes"], changes: Partial<GraphManifestInput> = {}): object {
  return {
    schemaVersion: 1,
    id: "both",
    version: "1.0.0",
    task: "regression",
    backend: "graph",
    nodes,
    ...changes,
  };
}

/** Writes models side by side into a new folder, each with the fixture that it names, and gives the folder. */
export function sideBySide(models: Readonly<Record<string, object>>): string {
  const root = temporaryFolder();
  for (const [name, manifest] of Object.entries(models)) {
    const dir = join(root, name);
    mkdirSync(dir);
    const { artifact } = manifest as { artifact?: { path?: string } };
    if (artifact?.path !== undefined) cpSync(join(fixtures, artifact.path), join(dir, artifact.path));
    writeFileSync(join(dir, "tokenizer.json"), JSON.stringify(wordTokenizer()));
    writeFileSync(join(dir, "model.yaml"), stringify(manifest));
  }
  return root;
}

/** Loads the composition beside its models. */
export function composition(graph: object, models: Readonly<Record<string, object>>): Promise<LoadedManifest> {
  return loadManifest(join(sideBySide({ ...models, both: graph }), "both"));
}
