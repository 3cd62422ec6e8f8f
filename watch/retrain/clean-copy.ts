import { constants } from "node:fs";
import { copyFile, lstat, mkdir, readdir, readlink, symlink } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { Git } from "../../eval/gate/git.ts";
import { contentDigest } from "./test-rows.ts";

/** Path with slashes → digest of the file, or where the link leads. */
export type Snapshot = ReadonlyMap<string, string>;

/** The tracked files of a repository, as they lie in the working tree. */
export async function trackedFiles(git: Git, below = "."): Promise<string[]> {
  const { code, stdout, stderr } = await git(["ls-files", "-z", "--", below]);
  if (code !== 0) throw new Error(`git ls-files: ${stderr.trim()}`);
  return [...new Set(stdout.toString("utf8").split("\0"))].filter((path) => path !== "").toSorted();
}

/**
 * Copies the tracked files of a repository, without its history, and without the gate's rows wherever they lie.
 *
 * @param leftOut paths of files and folders, from the repository's top level
 * @param leftOutDigests digests of files
 */
export async function cleanCopy(
  git: Git,
  repository: string,
  target: string,
  { leftOut, leftOutDigests }: { leftOut: readonly string[]; leftOutDigests: ReadonlySet<string> },
): Promise<void> {
  for (const path of await trackedFiles(git)) {
    if (leftOut.some((one) => path === one || path.startsWith(`${one}/`))) continue;
    const from = join(repository, path);
    const facts = await lstat(from).catch(() => null);
    // A file that was deleted, or a submodule.
    if (facts === null || facts.isDirectory()) continue;
    const to = join(target, path);
    await mkdir(dirname(to), { recursive: true });
    if (facts.isSymbolicLink()) await symlink(await readlink(from), to);
    else if (!leftOutDigests.has(await contentDigest(from))) await copyFile(from, to, constants.COPYFILE_FICLONE);
  }
}

/** Everything below a folder. Links are not followed. */
export async function snapshot(folder: string): Promise<Snapshot> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join("/");
    if (entry.isSymbolicLink()) found.set(name, `link to ${await readlink(path)}`);
    else if (entry.isFile()) found.set(name, await contentDigest(path));
    else if (!entry.isDirectory()) found.set(name, "neither a file nor a folder");
  }
  return found;
}

export type Change = { path: string; kind: "added" | "changed" | "removed" };

/** In the order of the paths. */
export function changesBetween(before: Snapshot, after: Snapshot): Change[] {
  const changes: Change[] = [];
  for (const path of [...new Set([...before.keys(), ...after.keys()])].toSorted()) {
    const [was, is] = [before.get(path), after.get(path)];
    if (was !== is)
      changes.push({ path, kind: was === undefined ? "added" : is === undefined ? "removed" : "changed" });
  }
  return changes;
}
