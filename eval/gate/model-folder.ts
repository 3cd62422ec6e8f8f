import { join, relative, sep } from "node:path";
import { linkOnPath } from "../../models/core/artifact/plain-path.ts";
import { ConfigurationError } from "../../models/core/errors.ts";
import { MANIFEST_FILE } from "../../models/core/predictor/load.ts";

/**
 * Absolute path of a model's folder that sluice.yaml names. Neither it, nor a folder above it, nor its model.yaml is a
 * symbolic link: what a link points at may change without a change here, and the base branch has only the link.
 *
 * @param folder as sluice.yaml has it, relative to `root`; its schema allows no way out of it
 * @param root folder of sluice.yaml, absolute
 * @param repository the whole repository, absolute, at or above `root`
 * @param place where the folder is written
 * @throws ConfigurationError `model-link`
 */
export async function modelFolder(folder: string, root: string, repository: string, place: string): Promise<string> {
  const dir = join(root, folder);
  const link = await linkOnPath(repository, relative(repository, join(dir, MANIFEST_FILE)).split(sep).join("/"));
  if (link !== null)
    throw new ConfigurationError({
      code: "model-link",
      place,
      problem: "there is a symbolic link on the path to the model: what it points at may change without a change here",
      expected: "the folder itself, with a model.yaml that is a file",
      received: `${link.link}, a symbolic link to ${link.target}`,
      example: "models: [models/mood]",
    });
  return dir;
}
