import { access, rm } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import ssri from "ssri";
import { ConfigurationError } from "../../../models/core/errors.ts";
import { downloadTarball, type DownloadDeps } from "./download.ts";
import { extractFromTarball } from "./extract.ts";
import { installedPackage } from "./installed.ts";
import { insidePackage, npmPackage } from "./package.ts";

export type NpmFileDeps = DownloadDeps & {
  /** Content-addressed store. Tarballs are kept at `npm/SHA512.tgz` inside it. */
  cacheDir: string;
};

async function verified(tarball: string, integrity: string): Promise<boolean> {
  try {
    await ssri.checkStream(createReadStream(tarball), integrity);
    return true;
  } catch {
    return false;
  }
}

/**
 * Absolute path of a file or folder inside an npm package at an exact version: from an installed `node_modules` at or
 * above `from`, else from the cache, else downloaded. A tarball is verified against `integrity` in this same call,
 * before anything is unpacked.
 * @throws EvaluationError as `downloadTarball` and `extractFromTarball` do; ConfigurationError for paths outside the
 *   package
 */
export async function npmFile(
  spec: string,
  integrity: string,
  path: string,
  from: string,
  deps: NpmFileDeps,
): Promise<string> {
  const pkg = npmPackage(spec, integrity);
  const wanted = insidePackage(path, spec);
  const installed = await installedPackage(pkg, from);
  if (installed !== null) return join(installed, wanted);

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
  const tarball = join(deps.cacheDir, "npm", `${digest}.tgz`);
  const cached = await access(tarball).then(
    () => true,
    () => false,
  );
  if (!cached || !(await verified(tarball, integrity))) {
    await rm(tarball, { force: true });
    await downloadTarball(pkg, tarball, deps);
  }
  const folder = join(deps.cacheDir, "npm", digest);
  await extractFromTarball(tarball, wanted, folder, spec);
  return join(folder, wanted);
}
