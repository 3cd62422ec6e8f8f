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

/** Any model.yaml; `backend` tells the kinds apart. */
export const modelFile = z.discriminatedUnion("backend", [manifest, remoteManifest]);

/**
 * A manifest and where it comes from. Its paths are relative to `dir`; `text` is its source, to find lines for errors.
 */
export type LoadedManifest = { manifest: Manifest; dir: string; file: string; text: string };
export type LoadedRemote = { manifest: RemoteManifest; dir: string; file: string; text: string };

/**
 * Reads the `model.yaml` in a model's folder, for callers that need the model's artifact.
 *
 * @throws ConfigurationError when there is none, when it does not fit the schema (all problems at once), or when the
 *   model has a remote backend and so nothing to measure or upload.
 */
export async function loadManifest(dir: string): Promise<LoadedManifest> {
  return withArtifact(await loadModelFile(dir));
}

/** Like `loadManifest`, for models of any backend; `isRemote` tells them apart. */
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

/**
 * Like `loadManifest`, for text from elsewhere (an older version from git, for example). `dir` holds the artifact and
 * the other files.
 */
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

/** "file:line:column path" of a place in the manifest, for problems found after it was read. */
export function placeIn(loaded: Pick<LoadedManifest, "file" | "text">, path: Path): string {
  const at = locate(loaded.text, path);
  return at === null
    ? `${loaded.file} ${fieldPath(path)}`
    : `${loaded.file}:${at.line}:${at.column} ${fieldPath(path)}`;
}
