import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { LFS_POINTER_MAX_BYTES, parseLfsPointer } from "../../models/core/artifact/lfs-pointer.ts";
import { datasetPaths } from "../dataset/paths.ts";
import { localFilesOf } from "../../models/core/manifest/local-files.ts";
import { MANIFEST_FILE, type LoadedManifest } from "../../models/core/predictor/load.ts";
import type { CommitState } from "../schema/verdict.ts";
import { commitOf, listTree, readBlobs, type Git, type TreeFile } from "./git.ts";

/**
 * What the working tree has that its commit has not. `converted` are files that git counts as unchanged although their
 * bytes are others than the commit's: git's attributes (`eol`, `working-tree-encoding`, `ident`, `filter`) or the
 * setting `core.autocrlf` change them on their way into the working tree, and no diff shows it.
 */
export type WorkingTreeState = { state: CommitState; converted: string[] };

/** `files` names this many at most. */
const namedFiles = 20;

/**
 * Compares the working tree with HEAD. Tracked files anywhere count as changed when git says so; the files in `read`
 * count as well when they are not in the commit, or when their bytes are not the commit's. A Git LFS pointer in the
 * commit and its file in the working tree are the same.
 *
 * @param repository folder of the whole repository, absolute
 * @param read files and folders that the gate reads, absolute
 * @returns null outside git, and before the first commit
 */
export async function workingTreeState(
  git: Git,
  repository: string,
  read: readonly string[],
): Promise<WorkingTreeState | null> {
  const commit = await commitOf(git, "HEAD");
  if (commit === null) return null;
  const { stdout } = await git(["diff", "HEAD", "--name-only", "-z", "--no-renames", "--no-ext-diff"]);
  const changed = new Set(
    stdout
      .toString("utf8")
      .split("\0")
      .filter((path) => path !== ""),
  );
  const routes = [...new Set(read.map((path) => relative(repository, path).split(sep).join("/")))].filter(
    (route) => route !== "" && !route.startsWith(".."),
  );
  const kept = new Map((await listTree(git, commit, routes)).map((file) => [file.path, file]));
  const converted: string[] = [];
  for (const route of routes) {
    for (const path of await filesBelow(repository, route)) {
      if (changed.has(path)) continue;
      const file = kept.get(path);
      if (file === undefined) changed.add(path);
      else if (!(await isAsCommitted(join(repository, path), file, git))) converted.push(path);
    }
  }
  const files = [...new Set([...changed, ...converted])].toSorted();
  const hash = createHash("sha256");
  for (const path of files) hash.update(`${path}\0${await contentDigest(join(repository, path))}\n`);
  return {
    state: {
      commit,
      dirty: files.length > 0,
      digest: files.length === 0 ? null : hash.digest("hex"),
      files: files.slice(0, namedFiles),
    },
    converted: [...new Set(converted)].toSorted(),
  };
}

/** The files and folders of the repository that a model's verdict rests on, absolute. */
export function filesReadFor({ manifest, dir, composition }: LoadedManifest): string[] {
  const data = manifest.dataset === undefined ? [] : datasetPaths(manifest.dataset);
  const own = composition === undefined ? localFilesOf(manifest) : [];
  return [
    ...[MANIFEST_FILE, ...own, ...data].map((path) => join(dir, path)),
    ...[...(composition?.models.values() ?? [])].flatMap(servedFilesOf),
  ];
}

/** Of a model that a composition uses: its own dataset says nothing of the composition. */
function servedFilesOf({ manifest: { dataset: _, ...manifest }, ...loaded }: LoadedManifest): string[] {
  return filesReadFor({ ...loaded, manifest });
}

/** What a reader should know of a model's files whose bytes are not the commit's; null without any. */
export function convertedNote(
  { state, converted }: WorkingTreeState,
  repository: string,
  loaded: LoadedManifest,
): string | null {
  const read = filesReadFor(loaded).map((path) => relative(repository, path).split(sep).join("/"));
  const mine = converted.filter((path) => read.some((route) => path === route || path.startsWith(`${route}/`)));
  return mine.length === 0
    ? null
    : `The bytes of ${mine.slice(0, 5).join(", ")}${mine.length > 5 ? ` and ${mine.length - 5} more files` : ""} are not those of commit ${state.commit.slice(0, 7)}: git converts them at checkout (.gitattributes or core.autocrlf), which no diff shows. To turn that off: \`-text -ident -filter\` for them in .gitattributes.`;
}

async function filesBelow(repository: string, route: string): Promise<string[]> {
  const facts = await lstat(join(repository, route)).catch(() => null);
  if (facts === null) return [];
  if (!facts.isDirectory()) return [route];
  const entries = await readdir(join(repository, route), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(repository, join(entry.parentPath, entry.name)).split(sep).join("/"));
}

async function isAsCommitted(path: string, file: TreeFile, git: Git): Promise<boolean> {
  const { size } = await lstat(path);
  const hash = createHash(file.object.length === 64 ? "sha256" : "sha1").update(`blob ${size}\0`);
  await pipeline(createReadStream(path), hash);
  if (hash.digest("hex") === file.object) return true;
  if (file.bytes >= LFS_POINTER_MAX_BYTES) return false;
  for await (const [, bytes] of readBlobs(git, [file]))
    return parseLfsPointer(bytes)?.sha256 === (await contentDigest(path));
  return false;
}

/** SHA-256 of a file's bytes or of a link's target; a word for what has neither. */
async function contentDigest(path: string): Promise<string> {
  const facts = await lstat(path).catch(() => null);
  if (facts === null) return "absent";
  if (facts.isDirectory()) return "a folder";
  const hash = createHash("sha256");
  if (facts.isSymbolicLink()) hash.update(await readlink(path));
  else if (facts.isFile()) await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
