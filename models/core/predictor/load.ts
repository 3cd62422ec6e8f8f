import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fieldPath } from "../field-path.ts";
import { locate, parseYaml, type Path } from "../manifest/config-file.ts";
import { ConfigurationError } from "../errors.ts";
import { manifest, type Manifest } from "../manifest/manifest.ts";
import { manifestExamples } from "../manifest/manifest-examples.ts";
import { remoteManifest, type RemoteManifest } from "../../remote/manifest.ts";

export const MANIFEST_FILE = "model.yaml";

/** Everything that a model.yaml may be; `backend` tells which. */
export const modelFile = z.discriminatedUnion("backend", [manifest, remoteManifest]);

/** A manifest and where it was read; `dir` is what its paths are relative to, `text` is for pointing at lines. */
export type LoadedManifest = { manifest: Manifest; dir: string; file: string; text: string };
export type LoadedRemote = { manifest: RemoteManifest; dir: string; file: string; text: string };

/**
 * Reads `model.yaml` of a model's folder, for whoever needs the model's artifact.
 *
 * @throws ConfigurationError when there is none, when it is not what the schema says (all problems at once), or when the
 *   model has a remote backend: there is nothing to measure or to upload then.
 */
export async function loadManifest(dir: string): Promise<LoadedManifest> {
  return withArtifact(await loadModelFile(dir));
}

/** The same for models of any backend: `isRemote` tells them apart. */
export async function loadModelFile(dir: string): Promise<LoadedManifest | LoadedRemote> {
  const file = join(dir, MANIFEST_FILE);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new ConfigurationError(
      {
        code: "manifest-missing",
        place: file,
        problem: "no model manifest here",
        expected: `a folder with a ${MANIFEST_FILE}`,
        received: error.code ?? error.message,
        example: "models/mood/model.yaml",
      },
      { cause: error },
    );
  });
  return parseModelFile(text, dir, file);
}

export function isRemote(loaded: LoadedManifest | LoadedRemote): loaded is LoadedRemote {
  return loaded.manifest.backend === "hf-inference";
}

/** The same for text that is already at hand (a version from git, say). `dir` is where its artifact and files lie. */
export function parseManifest(text: string, dir: string, file: string): LoadedManifest {
  return withArtifact(parseModelFile(text, dir, file));
}

function parseModelFile(text: string, dir: string, file: string): LoadedManifest | LoadedRemote {
  return { manifest: parseYaml(text, file, modelFile, manifestExamples), dir, file, text } as
    | LoadedManifest
    | LoadedRemote;
}

/** @throws ConfigurationError for a model with a remote backend. */
export function withArtifact(loaded: LoadedManifest | LoadedRemote): LoadedManifest {
  if (!isRemote(loaded)) return loaded;
  const { id, backend, pair } = loaded.manifest;
  throw new ConfigurationError({
    code: "remote-backend",
    place: placeIn(loaded, ["backend"]),
    problem: `the model ${id} has no artifact: a remote provider answers for it`,
    expected: "a model with an `artifact`: only that can be measured, gated and deployed by its own",
    received: `backend: ${backend}`,
    hint: `\`sluice serve ${id}\` serves it${pair === undefined ? "; `pair: {model: ID}` has it deployed together with a local model" : `, and deploying ${pair.model} takes it along`}`,
  });
}

/** "file:line:column path" of a place in the manifest, for diagnostics found after it was read. */
export function placeIn(loaded: Pick<LoadedManifest, "file" | "text">, path: Path): string {
  const at = locate(loaded.text, path);
  return at === null
    ? `${loaded.file} ${fieldPath(path)}`
    : `${loaded.file}:${at.line}:${at.column} ${fieldPath(path)}`;
}
