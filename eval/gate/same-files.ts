import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join, posix, relative } from "node:path";
import { LFS_POINTER_MAX_BYTES, parseLfsPointer } from "../../models/core/artifact/lfs-pointer.ts";
import { listTree, readBlobs, slashed, type Git, type TreeFile } from "./git.ts";

/**
 * The files that differ between a commit and the working tree, by content and not by what git remembers of either: a
 * file that git ignores, or that was moved, is compared all the same.
 *
 * @param base path of a file or folder at the commit, from the top level
 * @param path absolute path of its counterpart
 * @returns paths at the commit, sorted; files that only the working tree has stand where they would be there
 */
export async function differingFiles(git: Git, commit: string, base: string, path: string): Promise<string[]> {
  const entries = new Map((await listTree(git, commit, base)).map((file) => [file.path, file]));
  const here = new Map(
    (await filesBelow(path)).map((file) => {
      const inside = slashed(relative(path, file));
      return [inside === "" ? base : posix.join(base, inside), file] as const;
    }),
  );
  const differing = [...new Set([...entries.keys(), ...here.keys()])].filter(
    (name) => !entries.has(name) || !here.has(name),
  );
  for (const [name, entry] of entries) {
    const file = here.get(name);
    if (file !== undefined && !(await isSame(git, entry, file))) differing.push(name);
  }
  return differing.toSorted();
}

async function filesBelow(path: string): Promise<string[]> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
    throw error;
  });
  if (found === null) return [];
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

async function isSame(git: Git, entry: TreeFile, file: string): Promise<boolean> {
  const found = await lstat(file);
  // A link's target may change without a trace in a diff, so a link is never the same.
  if (!found.isFile() || !entry.mode.startsWith("100")) return false;
  const length = entry.object.length === 64 ? "sha256" : "sha1";
  if (found.size === entry.bytes && (await hashOf(file, length, `blob ${found.size}\0`)) === entry.object) return true;
  // The commit may have a Git LFS pointer where the working tree has the file itself.
  if (entry.bytes > LFS_POINTER_MAX_BYTES) return false;
  for await (const [, bytes] of readBlobs(git, [entry])) {
    const pointer = parseLfsPointer(bytes);
    return pointer?.bytes === found.size && (await hashOf(file, "sha256", "")) === pointer.sha256;
  }
  return false;
}

async function hashOf(file: string, algorithm: "sha1" | "sha256", prefix: string): Promise<string> {
  const hash = createHash(algorithm).update(prefix);
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
