import { existsSync } from "node:fs";
import { lstat, readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, posix, resolve } from "node:path";
import { ConfigurationError } from "../../models/core/errors.ts";
import { folderBeside, folderInside } from "../../models/core/graph/nodes.ts";
import {
  isRemote,
  loadManifest,
  loadModelFile,
  MANIFEST_FILE,
  type LoadedManifest,
  type LoadedRemote,
} from "../../models/core/predictor/load.ts";
import { readModelFiles } from "./model-files.ts";
import { secretIn } from "./secrets.ts";

/** The local models among the backends of a fallback. */
function localModelsOf({ manifest }: LoadedRemote): string[] {
  return manifest.backend === "fallback"
    ? manifest.fallback.flatMap((leg) => (leg.backend === "onnx" ? [leg.model] : []))
    : [];
}

/**
 * The files of the remote models in neighbouring folders that name a model as their `pair`. They are deployed to its
 * Space with it. They have no weights and were not gated.
 *
 * @returns files by their path in the tree
 * @throws ConfigurationError for an invalid manifest, and for a file that must not be published
 */
export async function companionFiles(loaded: LoadedManifest): Promise<{ path: string; bytes: Uint8Array }[]> {
  const { id } = loaded.manifest;
  const own = resolve(loaded.dir);
  const beside = await readdir(dirname(own), { withFileTypes: true });
  const found: { path: string; bytes: Uint8Array }[] = [];
  for (const { name } of beside
    .filter((entry) => entry.isDirectory() && entry.name !== basename(own))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const dir = join(dirname(loaded.dir), name);
    // A neighbour that does not belong to this model may be broken; that is ignored here.
    const text = await readFile(join(dir, MANIFEST_FILE), "utf8").catch(() => "");
    if (!/^backend:\s*["']?(hf-inference|fallback)/m.test(text)) continue;
    const companion = await loadModelFile(dir);
    if (!isRemote(companion) || companion.manifest.pair?.model !== id) continue;
    const taken = posix.join("models", companion.manifest.id);
    if (companion.manifest.id === id || found.some(({ path }) => path.startsWith(`${taken}/`)))
      throw new ConfigurationError({
        code: "duplicate-model",
        place: companion.file,
        problem: `two models of one Space have the id ${companion.manifest.id}`,
        expected: "every id once",
      });
    for (const file of [MANIFEST_FILE, "README.md"]) {
      const place = join(dir, file);
      const facts = await lstat(place).catch(() => null);
      if (facts === null && file !== MANIFEST_FILE) continue;
      if (facts?.isFile() !== true)
        throw new ConfigurationError({ code: "symlink", place, problem: "not a plain file", expected: "a plain file" });
      const bytes = await readFile(place);
      const secret = secretIn(file, bytes);
      if (secret !== null)
        throw new ConfigurationError({
          code: "secret",
          place,
          problem: `the file must not be published: ${secret}`,
          expected: "no secrets in a Space's tree",
          hint: "keep the token among the Space's secrets, as HF_TOKEN",
        });
      found.push({ path: posix.join(taken, file), bytes });
    }
    for (const model of localModelsOf(companion)) {
      const places = [folderInside(model), folderBeside(null, model)].map((place) => join(dir, place));
      const folder = places.find((place) => existsSync(join(place, MANIFEST_FILE)));
      // The server answers with the other backends then, and says so.
      if (folder === undefined) continue;
      for (const { path, bytes } of await readModelFiles(await loadManifest(folder)))
        found.push({ path: posix.join(taken, folderInside(model), path), bytes });
    }
  }
  return found;
}
