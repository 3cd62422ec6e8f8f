import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { copyFile, mkdir, realpath, rename } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { cachedContent } from "../../models/core/artifact/cache-dir.ts";
import type { LfsObjects, LfsPointer, PlacedPointer } from "../../models/core/artifact/lfs-pointer.ts";
import { routeInside } from "../../models/core/artifact/plain-path.ts";
import { EvaluationError } from "../../models/core/errors.ts";
import { localFilesOf } from "../../models/core/manifest/local-files.ts";
import { modelsOf, type LoadedManifest } from "../../models/core/predictor/load.ts";
import { pointerAt } from "../dataset/lfs-files.ts";
import type { Git } from "./git.ts";
import { downloadLfsObjects, type LfsDownloadDeps, type WantedObject } from "./lfs-download.ts";
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
 * server, many at a time. Each is hashed before its path is given.
 */
export function lfsObjectsOf(deps: LfsDeps): LfsObjects {
  const { git, root, base, cacheDir, env } = deps;
  return async (pointers) => {
    if (pointers.length === 0) return [];
    const store = await lfsStore(git, root);
    const found = new Map<string, string>();
    const absent = new Map<string, WantedObject>();
    const key = ({ sha256, bytes }: LfsPointer) => `${sha256} ${bytes}`;
    for (const { pointer, place } of pointers) {
      const { sha256 } = pointer;
      if (found.has(key(pointer)) || absent.has(key(pointer))) continue;
      const cached = cachedContent(cacheDir, sha256);
      const stored = join(store, sha256.slice(0, 2), sha256.slice(2, 4), sha256);
      if (await isObject(stored, pointer)) found.set(key(pointer), stored);
      else {
        found.set(key(pointer), cached);
        if (!(await isObject(cached, pointer))) absent.set(key(pointer), { pointer, place, target: cached });
      }
    }
    const [first] = absent.values();
    if (first !== undefined) {
      const endpoint = await lfsEndpoint(git, base, env);
      if ("none" in endpoint)
        throw missing(first.pointer, first.place, `the file is not in this clone, and ${endpoint.none}`);
      const tokenOrigin = URL.parse(env["GITHUB_SERVER_URL"] || "https://github.com")?.origin ?? "";
      await downloadLfsObjects([...absent.values()], endpoint.url, { ...deps, tokenOrigin });
    }
    return pointers.map(({ pointer }) => found.get(key(pointer))!);
  };
}

/**
 * Puts the files of a model that are Git LFS pointers in its folder into the cache, where whoever opens the model finds
 * them.
 * @throws EvaluationError as `lfs` does
 */
export async function cacheModelObjects(loaded: LoadedManifest, lfs: LfsObjects, cacheDir: string): Promise<void> {
  const pointers: PlacedPointer[] = [];
  for (const model of modelsOf(loaded))
    for (const path of localFilesOf(model.manifest)) {
      if (routeInside(model.dir, path) === null) continue;
      const place = join(model.dir, path);
      const pointer = await pointerAt(place);
      if (pointer !== null) pointers.push({ pointer, place });
    }
  for (const [i, found] of (await lfs(pointers)).entries()) {
    const { pointer } = pointers[i]!;
    const target = cachedContent(cacheDir, pointer.sha256);
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
