import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { copyFile, mkdir, realpath, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { cachedContent } from "../../models/core/artifact/cache-dir.ts";
import type { LfsObjects, LfsPointer } from "../../models/core/artifact/lfs-pointer.ts";
import { routeInside } from "../../models/core/artifact/plain-path.ts";
import { EvaluationError } from "../../models/core/errors.ts";
import { localFilesOf } from "../../models/core/manifest/local-files.ts";
import type { LoadedManifest } from "../../models/core/predictor/load.ts";
import { pointerAt } from "../dataset/lfs-files.ts";
import type { Git } from "./git.ts";
import { downloadLfsObject, type LfsDownloadDeps } from "./lfs-download.ts";
import { lfsEndpoint } from "./lfs-endpoint.ts";

export type LfsDeps = Omit<LfsDownloadDeps, "tokenOrigin"> & {
  git: Git;
  /** Any folder of the repository, absolute. */
  root: string;
  /** Commit whose `.lfsconfig` counts; null for none. */
  base: string | null;
  cacheDir: string;
  /** `GITHUB_SERVER_URL` names the server that the token is for. */
  env: Readonly<Record<string, string | undefined>>;
};

/**
 * The LFS objects of a repository: from its own store, which git-lfs fills, else from the cache, else from the LFS
 * server. Each is hashed before its path is given.
 */
export function lfsObjectsOf(deps: LfsDeps): LfsObjects {
  const { git, root, base, cacheDir, env } = deps;
  return async (pointer, place) => {
    const { sha256 } = pointer;
    const stored = join(await lfsStore(git, root), sha256.slice(0, 2), sha256.slice(2, 4), sha256);
    const cached = cachedContent(cacheDir, sha256);
    for (const path of [stored, cached]) if (await isObject(path, pointer)) return path;
    const endpoint = await lfsEndpoint(git, base, env);
    if ("none" in endpoint) throw missing(pointer, place, `the file is not in this clone, and ${endpoint.none}`);
    const tokenOrigin = URL.parse(env["GITHUB_SERVER_URL"] || "https://github.com")?.origin ?? "";
    await downloadLfsObject(pointer, endpoint.url, cached, place, { ...deps, tokenOrigin });
    if (await isObject(cached, pointer)) return cached;
    await rm(cached, { force: true });
    throw missing(pointer, place, `${endpoint.url.host} gives another file`);
  };
}

/**
 * Puts the files of a model that are Git LFS pointers in its folder into the cache, where whoever opens the model finds
 * them.
 * @throws EvaluationError as `lfs` does
 */
export async function cacheModelObjects(loaded: LoadedManifest, lfs: LfsObjects, cacheDir: string): Promise<void> {
  for (const path of localFilesOf(loaded.manifest)) {
    if (routeInside(loaded.dir, path) === null) continue;
    const place = join(loaded.dir, path);
    const pointer = await pointerAt(place);
    if (pointer === null) continue;
    const target = cachedContent(cacheDir, pointer.sha256);
    const found = await lfs(pointer, place);
    if (found === target || (await isObject(target, pointer))) continue;
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const draft = `${target}.${process.pid}.part`;
    await copyFile(found, draft, constants.COPYFILE_FICLONE);
    await rename(draft, target);
  }
}

function missing({ sha256 }: LfsPointer, place: string, why: string): EvaluationError {
  return new EvaluationError({
    code: "lfs-missing",
    place,
    problem: `a Git LFS pointer stands in the place of the file: ${why}`,
    expected: `the file with sha256 ${sha256}`,
    received: "only the pointer",
    example: "- uses: actions/checkout@v7\n  with:\n    lfs: true",
    hint: "outside a workflow: `git lfs pull`",
  });
}

/** `objects` in git's folder, or in the folder that the setting `lfs.storage` names. */
async function lfsStore(git: Git, root: string): Promise<string> {
  const text = async (...args: string[]) => {
    const { code, stdout } = await git(args);
    return code === 0 ? stdout.toString("utf8").trim() : "";
  };
  const common = resolve(root, (await text("rev-parse", "--git-common-dir")) || ".git");
  const storage = await text("config", "--get", "lfs.storage");
  return join(storage === "" ? join(common, "lfs") : resolve(common, storage), "objects");
}

/** Whether a file is there and has the pointer's bytes. */
async function isObject(path: string, pointer: LfsPointer): Promise<boolean> {
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    await pipeline(
      createReadStream(await realpath(path)),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          yield chunk;
        }
      },
      hash,
    );
  } catch {
    return false;
  }
  return bytes === pointer.bytes && hash.digest("hex") === pointer.sha256;
}
