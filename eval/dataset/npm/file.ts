import { constants, createReadStream } from "node:fs";
import { copyFile, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import ssri from "ssri";
import { ConfigurationError } from "../../../models/core/errors.ts";
import { downloadTarball, type DownloadDeps } from "./download.ts";
import { extractFromTarball } from "./extract.ts";
import { insidePackage, npmPackage } from "./package.ts";

export type NpmFileDeps = DownloadDeps & {
  /** Content-addressed store. Tarballs are kept at `npm/SHA512.tgz` inside it. */
  cacheDir: string;
  /** A folder of this run alone, in which packages are unpacked. */
  workDir: string;
};

/**
 * Absolute path of a file or folder inside an npm package at an exact version, unpacked for this run. The tarball comes
 * from the cache, else from npm's own cache, else from the registry. Wherever it comes from, the very copy that is
 * unpacked is hashed first. An installed `node_modules` is never used: nothing tells whether it is what the registry
 * has, and a commit may contain one.
 *
 * @throws EvaluationError as `downloadTarball` and `extractFromTarball` do; ConfigurationError for paths outside the
 *   package
 */
export async function npmFile(spec: string, integrity: string, path: string, deps: NpmFileDeps): Promise<string> {
  const pkg = npmPackage(spec, integrity);
  const wanted = insidePackage(path, spec);
  const digest = ssri.parse(integrity, { single: true })?.hexDigest() ?? "";
  if (digest.length !== 128)
    throw new ConfigurationError({
      code: "npm-integrity-form",
      place: "dataset.files",
      problem: `the integrity of ${spec} is not a SHA-512`,
      expected: "sha512- and 88 base64 characters",
      received: integrity,
      example: `npm view ${spec} dist.integrity`,
    });
  await mkdir(deps.workDir, { recursive: true });
  const work = await mkdtemp(join(deps.workDir, "npm-"));
  const tarball = join(work, "package.tgz");
  const kept = join(deps.cacheDir, "npm", `${digest}.tgz`);
  if (!(await copyVerified(kept, tarball, integrity))) {
    if (!(await copyVerified(npmsOwn(digest, deps.env), tarball, integrity))) await downloadTarball(pkg, tarball, deps);
    await keep(tarball, kept);
  }
  const folder = join(work, "package");
  await extractFromTarball(tarball, wanted, folder, spec);
  return join(folder, wanted);
}

/** Copies a tarball and hashes the copy, which nobody else can write; false when it is not there or not the right one. */
async function copyVerified(from: string, to: string, integrity: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE);
    await ssri.checkStream(createReadStream(to), integrity);
    return true;
  } catch {
    await rm(to, { force: true });
    return false;
  }
}

/** Keeps a verified tarball for later runs. A cache that cannot be written costs a later run time, and nothing else. */
async function keep(tarball: string, kept: string): Promise<void> {
  await mkdir(dirname(kept), { recursive: true, mode: 0o700 }).catch(() => {});
  const draft = `${kept}.${process.pid}.part`;
  await copyFile(tarball, draft, constants.COPYFILE_FICLONE)
    .then(() => rename(draft, kept))
    .catch(() => rm(draft, { force: true }));
}

/**
 * Where npm keeps what it has downloaded, by SHA-512: https://github.com/npm/cacache. An `npm ci` has put the
 * repository's packages there.
 */
function npmsOwn(digest: string, env: DownloadDeps["env"]): string {
  const local = env["LOCALAPPDATA"];
  const cache =
    env["npm_config_cache"] ||
    (process.platform === "win32" && local ? join(local, "npm-cache") : join(env["HOME"] || homedir(), ".npm"));
  return join(cache, "_cacache", "content-v2", "sha512", digest.slice(0, 2), digest.slice(2, 4), digest.slice(4));
}
