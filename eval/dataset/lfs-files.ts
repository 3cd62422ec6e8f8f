import { constants } from "node:fs";
import { copyFile, link, lstat, mkdir, mkdtemp, open, readdir } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import {
  LFS_POINTER_MAX_BYTES,
  parseLfsPointer,
  type LfsObjects,
  type LfsPointer,
} from "../../models/core/artifact/lfs-pointer.ts";

/**
 * Path of a data file or folder whose Git LFS pointers are replaced by the files that they point to. Without a pointer
 * it is `path` itself; otherwise a copy below `workDir`. The checkout is left as it is.
 *
 * @param name the file's name in errors
 */
export async function withoutPointers(
  path: string,
  name: string,
  { lfs, workDir }: { lfs: LfsObjects; workDir: string },
): Promise<string> {
  const facts = await lstat(path).catch(() => null);
  if (facts === null) return path;
  const files = facts.isDirectory()
    ? (await readdir(path, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    : [path];
  const pointers = new Map<string, LfsPointer>();
  for (const file of files) {
    const pointer = await pointerAt(file);
    if (pointer !== null) pointers.set(file, pointer);
  }
  if (pointers.size === 0) return path;
  const nameOf = (file: string) => (file === path ? name : `${name}/${relative(path, file)}`);
  const objects = await lfs([...pointers].map(([file, pointer]) => ({ pointer, place: nameOf(file) })));
  const objectOf = new Map([...pointers.keys()].map((file, i) => [file, objects[i]!]));
  const target = join(await mkdtemp(join(workDir, "data-")), basename(path));
  for (const file of files) {
    const to = join(target, relative(path, file));
    await mkdir(dirname(to), { recursive: true });
    const from = objectOf.get(file) ?? file;
    // A second name costs nothing; across file systems there is no second name.
    await link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_FICLONE));
  }
  return target;
}

/** The Git LFS pointer that a file holds; null when it holds something else. */
export async function pointerAt(path: string): Promise<LfsPointer | null> {
  const file = await open(path).catch(() => null);
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    return size >= LFS_POINTER_MAX_BYTES ? null : parseLfsPointer(await file.readFile());
  } finally {
    await file.close();
  }
}
