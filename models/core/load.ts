import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { dotted } from "./config-issues.ts";
import { locate, parseYaml, type Path } from "./config-file.ts";
import { ConfigurationError } from "./errors.ts";
import { manifest, type Manifest } from "./manifest.ts";
import { manifestExamples } from "./manifest-examples.ts";

export const MANIFEST_FILE = "model.yaml";

/** A manifest and where it was read; `dir` is what its paths are relative to, `text` is for pointing at lines. */
export type LoadedManifest = { manifest: Manifest; dir: string; file: string; text: string };

/**
 * Reads `model.yaml` of a model's folder.
 *
 * @throws ConfigurationError when there is none, or when it is not what the schema says (all problems at once).
 */
export async function loadManifest(dir: string): Promise<LoadedManifest> {
  const file = join(dir, MANIFEST_FILE);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new ConfigurationError({ code: "manifest-missing", place: file, problem: "no model manifest here", expected: `a folder with a ${MANIFEST_FILE}`, received: error.code ?? error.message, example: "models/mood/model.yaml" }, { cause: error });
  });
  return parseManifest(text, dir, file);
}

/** The same for text that is already at hand (a version from git, say). `dir` is where its artifact and files lie. */
export function parseManifest(text: string, dir: string, file: string): LoadedManifest {
  return { manifest: parseYaml(text, file, manifest, manifestExamples), dir, file, text };
}

/** "file:line:column path" of a place in the manifest, for complaints found after it was read. */
export function placeIn(loaded: Pick<LoadedManifest, "file" | "text">, path: Path): string {
  const at = locate(loaded.text, path);
  return at === null ? `${loaded.file} ${dotted(path)}` : `${loaded.file}:${at.line}:${at.column} ${dotted(path)}`;
}
