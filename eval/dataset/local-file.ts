import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { isAbsolute, join, posix, relative, sep } from "node:path";
import { linkOnPath, routeInside } from "../../models/core/artifact/plain-path.ts";
import { ConfigurationError } from "../../models/core/errors.ts";

/**
 * Absolute path of a data file or folder that model.yaml names. It lies in the repository, and neither it nor a folder
 * above it nor what it contains is a symbolic link, nor is it in another repository: every change of the data shows in a
 * diff, and the data is there wherever the repository is.
 *
 * @param path relative to `dir`
 * @param dir folder of model.yaml, absolute
 * @param root the repository, absolute, at or above `dir`
 * @param place where the path is written, e.g. model.yaml:12:14
 * @throws ConfigurationError `dataset-outside`, `dataset-link`, `dataset-submodule`
 */
export async function localDataFile(path: string, dir: string, root: string, place: string): Promise<string> {
  const route = isAbsolute(path) ? null : routeInside(root, join(dir, path));
  if (route === null)
    throw new ConfigurationError({
      code: "dataset-outside",
      place,
      problem: "the data lies outside the repository, so it is not there where the repository is checked out",
      expected: "a path in the repository, relative to model.yaml",
      received: path,
      example: "path: data/eval.csv",
      hint: "data that is too large for git: Git LFS, or an npm package with its `integrity`",
    });
  const from = relative(root, dir).split(sep).join("/");
  const link = await linkOnPath(root, route);
  if (link !== null)
    throw new ConfigurationError({
      code: "dataset-link",
      place,
      problem: "there is a symbolic link on the path: the data may change without a change here",
      expected: "a file or folder of the repository itself",
      received: `${link.link}, a symbolic link to ${link.target}`,
      example:
        routeInside(root, link.target) === null
          ? "path: data/eval.csv"
          : `path: ${posix.relative(from, link.target) || "."}`,
    });
  const parts = route.split("/");
  // A repository within the repository: git keeps only a commit's name of it, and `.git` stands in its folder.
  const inner = parts.map((_, i) => parts.slice(0, i + 1).join("/")).find((one) => existsSync(join(root, one, ".git")));
  if (inner !== undefined && from !== inner && !from.startsWith(`${inner}/`))
    throw new ConfigurationError({
      code: "dataset-submodule",
      place,
      problem: "the data lies in a submodule: this repository holds only the name of its commit",
      expected: "a file or folder of the repository itself",
      received: `${route}, in the submodule ${inner}`,
      example: "path: data/eval.csv",
      hint: "copy the data into this repository, or publish it as an npm package and pin its `integrity`",
    });
  const found = join(root, route);
  for (const entry of await readdir(found, { recursive: true, withFileTypes: true }).catch(() => []))
    if (entry.isSymbolicLink())
      throw new ConfigurationError({
        code: "dataset-link",
        place,
        problem: "there is a symbolic link in the folder: the data may change without a change here",
        expected: "files of the repository itself",
        received: `${posix.join(path, relative(found, join(entry.parentPath, entry.name)).split(sep).join("/"))}, a symbolic link`,
        hint: "put the file itself in the link's place",
      });
  return found;
}
