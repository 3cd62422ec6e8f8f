import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, posix, relative, sep } from "node:path";
import { ConfigurationError } from "../../models/core/errors.ts";
import {
  DEPLOYED_FILE,
  deployedSchema,
  GOLDEN_FILE,
  goldenSchema,
  parseTreeFile,
  type Deployed,
  type Golden,
  type GoldenCandidate,
} from "./deployed.ts";

/** One file of a tree to deploy. */
export type TreeFile = { path: string; bytes: Uint8Array; size: number; sha256: string; gitOid: string };
export type Tree = { files: TreeFile[]; deployed: Deployed; golden: Golden; candidate?: GoldenCandidate };

export function treeFile(path: string, bytes: Uint8Array): TreeFile {
  return {
    path,
    bytes,
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    gitOid: gitOid(bytes),
  };
}

/** The object id that git gives to a file's content. */
export function gitOid(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

/** deployment.json as a file of the tree that it describes. */
export function deployedFile(deployed: Deployed): TreeFile {
  return treeFile(DEPLOYED_FILE, Buffer.from(`${JSON.stringify(deployed, null, 1)}\n`));
}

export async function writeTree(dir: string, { files }: Tree): Promise<void> {
  if ((await readdir(dir).catch(() => [])).length > 0)
    throw new ConfigurationError({
      code: "bundle-dir",
      place: dir,
      problem: "the folder is not empty",
      expected: "a new or empty folder",
      example: "--bundle out/space",
    });
  for (const { path, bytes } of files) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), bytes);
  }
}

/**
 * Reads a tree that was written earlier. Its files must be exactly those that its deployment.json names: none missing,
 * added or changed, and no symbolic links.
 *
 * @throws ConfigurationError naming the first file that does not match
 */
export async function readTree(dir: string): Promise<Tree> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => {
    throw new ConfigurationError({
      code: "bundle-dir",
      place: dir,
      problem: "there is no such folder",
      expected: "a folder that `sluice deploy --bundle` wrote",
    });
  });
  const files: TreeFile[] = [];
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const path = relative(dir, join(entry.parentPath, entry.name)).split(sep).join(posix.sep);
    if (!(await lstat(join(dir, path))).isFile())
      throw new ConfigurationError({
        code: "symlink",
        place: join(dir, path),
        problem: "not a plain file",
        expected: "plain files only",
        received: entry.isSymbolicLink() ? "a symbolic link" : "something else",
      });
    files.push(treeFile(path, await readFile(join(dir, path))));
  }
  const find = (path: string): Uint8Array => {
    const file = files.find((one) => one.path === path);
    if (file !== undefined) return file.bytes;
    throw new ConfigurationError({
      code: "bundle-dir",
      place: dir,
      problem: `it has no ${path}`,
      expected: "a folder that `sluice deploy --bundle` wrote",
    });
  };
  const deployed = parseTreeFile(deployedSchema, find(DEPLOYED_FILE), join(dir, DEPLOYED_FILE));
  for (const { path, sha256 } of files) {
    if (path === DEPLOYED_FILE) continue;
    const named = deployed.files[path];
    if (named !== sha256)
      throw new ConfigurationError({
        code: "bundle-changed",
        place: join(dir, path),
        problem:
          named === undefined ? "the file is not part of the tree" : "the file was changed since the tree was made",
        expected: named === undefined ? "only files that deployment.json names" : `sha256 ${named}`,
        received: named === undefined ? path : `sha256 ${sha256}`,
      });
  }
  for (const path of Object.keys(deployed.files)) find(path);
  return { files, deployed, golden: parseTreeFile(goldenSchema, find(GOLDEN_FILE), join(dir, GOLDEN_FILE)) };
}
