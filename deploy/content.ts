import type { TreeFile } from "./bundle/tree.ts";
import type { CommitLine, RemoteFile } from "./hub/repository.ts";

/** The Hub's own file. The Hub decides which files it stores as LFS. */
const isHubOwned = (path: string) => path === ".gitattributes";

/** What a commit must change so that a Space's tree becomes the wanted one. */
export type Changes = { upload: TreeFile[]; remove: string[]; kept: number };

export function sameContent(local: TreeFile, remote: RemoteFile): boolean {
  return remote.lfs === null ? remote.oid === local.gitOid : remote.lfs.oid === local.sha256;
}

/** Compares by content, never by time. Pure. */
export function changesTo(wanted: readonly TreeFile[], current: readonly RemoteFile[]): Changes {
  const now = new Map(current.map((file) => [file.path, file]));
  const upload = wanted.filter((file) => {
    const there = now.get(file.path);
    return there === undefined || !sameContent(file, there);
  });
  const paths = new Set(wanted.map(({ path }) => path));
  return {
    upload,
    remove: current.filter(({ path }) => !paths.has(path) && !isHubOwned(path)).map(({ path }) => path),
    kept: wanted.length - upload.length,
  };
}

export function isTree(wanted: readonly TreeFile[], current: readonly RemoteFile[]): boolean {
  const { upload, remove } = changesTo(wanted, current);
  return upload.length === 0 && remove.length === 0;
}

/** The changes that restore an earlier tree. LFS files need only their object ids, the others their bytes. */
type Restoration = { large: CommitLine[]; small: RemoteFile[]; remove: string[] };

export function restorationOf(good: readonly RemoteFile[], current: readonly RemoteFile[]): Restoration {
  const now = new Map(current.map((file) => [file.path, file]));
  const differs = good.filter(({ path, oid }) => !isHubOwned(path) && now.get(path)?.oid !== oid);
  const paths = new Set(good.map(({ path }) => path));
  return {
    large: differs.flatMap(({ path, lfs }) =>
      lfs === null
        ? []
        : [{ key: "lfsFile" as const, value: { path, algo: "sha256" as const, oid: lfs.oid, size: lfs.size } }],
    ),
    small: differs.filter(({ lfs }) => lfs === null),
    remove: current.filter(({ path }) => !paths.has(path) && !isHubOwned(path)).map(({ path }) => path),
  };
}

export function sameTree(a: readonly RemoteFile[], b: readonly RemoteFile[]): boolean {
  const { large, small, remove } = restorationOf(a, b);
  return large.length + small.length + remove.length === 0;
}
