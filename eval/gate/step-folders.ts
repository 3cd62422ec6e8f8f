import { posix } from "node:path";
import { folderBeside, modelsNamed } from "../../models/core/graph/nodes.ts";

/**
 * The folders of the models that a composition names, of those that they name, and so on; none for any other model.
 * Models that lie inside the composition's folder are not among them.
 *
 * @param folder a path with slashes; the result's paths are from where it is
 * @param read the content of a folder's model.yaml before any schema; null where there is none
 */
export async function stepFolders(folder: string, read: (folder: string) => Promise<unknown>): Promise<string[]> {
  const found = new Set<string>();
  const visit = async (from: string): Promise<void> => {
    const plain = await read(from);
    for (const model of modelsNamed(plain)) {
      const beside = posix.join(from, folderBeside(plain, model));
      if (beside.startsWith("..") || beside === folder || found.has(beside)) continue;
      found.add(beside);
      await visit(beside);
    }
  };
  await visit(folder);
  return [...found];
}
