import { existsSync } from "node:fs";
import { mkdir, readFile, rename } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { parse } from "yaml";
import { folderBeside, folderInside, modelsNamed } from "../../models/core/graph/nodes.ts";
import { MANIFEST_FILE } from "../../models/core/predictor/load.ts";
import { listTree, readAt, type Git } from "./git.ts";
import { layOut, type LayOutDeps } from "./lay-out.ts";

type What = {
  /** Folder below the model's that is left out; null for none. */
  without?: string | null;
  /** Only the files called model.yaml: enough to know a model's heads and digest. */
  manifestsOnly?: boolean;
};

/**
 * Writes a model of a commit into a new folder of this run, and gives the folder's path. A composition comes with its
 * models of the same commit, each in `steps/ID`.
 *
 * @throws EvaluationError as `layOut`
 */
export async function layOutModel(
  commit: string,
  folder: string,
  deps: LayOutDeps,
  { without = null, manifestsOnly = false }: What = {},
): Promise<string> {
  const filesOf = async (path: string) =>
    (await listTree(deps.git, commit, path)).filter(
      (file) => !manifestsOnly || posix.basename(file.path) === MANIFEST_FILE,
    );
  const own = (await filesOf(folder)).filter(({ path }) => without === null || !path.startsWith(`${without}/`));
  const dir = await layOut(own, folder, commit, deps);
  const addSteps = async (into: string, from: string, within: readonly string[]): Promise<void> => {
    const plain = await plainAt(join(into, MANIFEST_FILE));
    for (const model of modelsNamed(plain)) {
      const target = join(into, folderInside(model));
      const inside = posix.join(from, folderInside(model));
      if (existsSync(join(target, MANIFEST_FILE))) {
        await addSteps(target, inside, [...within, from]);
        continue;
      }
      const beside = posix.join(from, folderBeside(plain, model));
      const files = beside.startsWith("..") || within.includes(beside) ? [] : await filesOf(beside);
      // Whoever loads the composition says what is missing.
      if (files.length === 0) continue;
      const placed = await layOut(files, beside, commit, deps);
      await mkdir(dirname(target), { recursive: true });
      await rename(placed, target);
      await addSteps(target, beside, [...within, from]);
    }
  };
  await addSteps(dir, folder, []);
  return dir;
}

/** The content of a folder's model.yaml at a commit, before any schema; null where it cannot be read. */
export async function plainManifestAt(git: Git, commit: string, folder: string): Promise<unknown> {
  const text = await readAt(git, commit, posix.join(folder, MANIFEST_FILE));
  return text === null ? null : parsed(text);
}

async function plainAt(file: string): Promise<unknown> {
  return parsed(await readFile(file, "utf8").catch(() => ""));
}

function parsed(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    return null;
  }
}
