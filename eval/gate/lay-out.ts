import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  isLfsPointer,
  parseLfsPointer,
  type LfsObjects,
  type PlacedPointer,
} from "../../models/core/artifact/lfs-pointer.ts";
import { EvaluationError } from "../../models/core/errors.ts";
import { readBlobs, type Git, type TreeFile } from "./git.ts";

export type LayOutDeps = {
  git: Git;
  /** A folder of this run alone; see `withWorkDir`. */
  workDir: string;
  lfs: LfsObjects;
};

/**
 * Writes files of a commit into a new folder of this run, and gives the folder's path. Nothing is taken over from an
 * earlier run. The bytes are those that the commit names: every blob is hashed as git does and compared with its id.
 * In place of a Git LFS pointer stands the file that it points to.
 *
 * @param files any files of one commit, e.g. from `listTree`
 * @param prefix folder that the files are below; it is left out of the new paths. "" keeps whole paths
 * @param commit what the files are of, for messages
 * @throws EvaluationError `not-a-file` for a symbolic link or a submodule, `git-object` when git gives other bytes than
 *   the commit names, and those of `deps.lfs`; each with the path
 */
export async function layOut(
  files: readonly TreeFile[],
  prefix: string,
  commit: string,
  { git, workDir, lfs }: LayOutDeps,
): Promise<string> {
  const placeOf = (path: string) => `${path} at ${commit.slice(0, 7)}`;
  for (const file of files) requireFile(file, prefix, placeOf(file.path));
  await mkdir(workDir, { recursive: true });
  const target = await mkdtemp(join(workDir, `${commit.slice(0, 7)}-`));
  const pointers: (PlacedPointer & { path: string })[] = [];
  for await (const [file, bytes] of readBlobs(git, files)) {
    requireObject(file, bytes, placeOf(file.path));
    const path = join(target, prefix === "" ? file.path : file.path.slice(prefix.length + 1));
    await mkdir(dirname(path), { recursive: true });
    const pointer = isLfsPointer(bytes) ? parseLfsPointer(bytes) : null;
    if (pointer === null) await writeFile(path, bytes);
    else pointers.push({ pointer, place: placeOf(file.path), path });
  }
  for (const [i, object] of (await lfs(pointers)).entries())
    await copyFile(object, pointers[i]!.path, constants.COPYFILE_FICLONE);
  return target;
}

function requireFile({ path, mode }: TreeFile, prefix: string, place: string): void {
  const kind = mode === "120000" ? "a symbolic link" : mode === "160000" ? "a submodule" : null;
  if (kind !== null)
    throw new EvaluationError({
      code: "not-a-file",
      place,
      problem: `${kind} stands where a file is needed`,
      expected: "regular files, so that every change of their content shows in a diff",
      received: kind,
      example: `git rm --cached ${path}, then commit the file itself`,
    });
  const inside = prefix === "" || path.startsWith(`${prefix}/`);
  if (!inside || path.split("/").some((part) => part === "" || part === "." || part === ".."))
    throw new EvaluationError({
      code: "not-a-file",
      place,
      problem: "the path leads out of its folder",
      expected: `a path below ${prefix === "" ? "the repository" : prefix}`,
      received: path,
    });
}

/** Git names a blob by the hash of `blob LENGTH\0CONTENT`; the id's length tells SHA-1 from SHA-256. */
function requireObject({ object }: TreeFile, bytes: Buffer, place: string): void {
  const received = createHash(object.length === 64 ? "sha256" : "sha1")
    .update(`blob ${bytes.length}\0`)
    .update(bytes)
    .digest("hex");
  if (received !== object)
    throw new EvaluationError({
      code: "git-object",
      place,
      problem: "git gives other bytes than the commit names: the clone is damaged",
      expected: `blob ${object}`,
      received: `blob ${received}`,
      hint: "git fsck, then clone again",
    });
}
