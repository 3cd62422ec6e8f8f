import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import type { NativePins, PinnedFile } from "./pins.ts";

type InstallDeps = {
  fetch: typeof fetch;
  /** npm registry, without a final slash. */
  registry: string;
  platform: string;
  arch: string;
  /** Time limit of the whole download. */
  timeoutMs: number;
};

const settleMs = 250;

/**
 * Downloads the pinned npm tarball and keeps only this platform's native files.
 *
 * The stream is unpacked while its SHA-512 is computed, so the 113 MB tarball is never written to disk. The folder gets
 * its final name only after npm's integrity and each file's SHA-256 have been verified. If two jobs race, the first
 * rename wins.
 */
export async function installFromRegistry(
  pins: NativePins,
  target: string,
  files: readonly PinnedFile[],
  deps: InstallDeps,
): Promise<void> {
  const { x: extract } = await import("tar");
  const url = `${deps.registry}/${pins.package}/-/${pins.package}-${pins.version}.tgz`;
  const draft = `${target}.${process.pid}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  try {
    const signal = AbortSignal.timeout(deps.timeoutMs);
    const response = await deps.fetch(url, { signal });
    if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);

    const hash = createHash("sha512");
    const tap = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    const prefix = `package/${pins.folder}/${deps.platform}/${deps.arch}/`;
    const wanted = new Set(files.map((file) => prefix + file.name));
    await pipeline(
      Readable.fromWeb(response.body as import("node:stream/web").ReadableStream),
      tap,
      extract({ cwd: draft, strip: prefix.split("/").length - 1, filter: (path) => wanted.has(path), strict: true }),
      { signal },
    );
    const integrity = `sha512-${hash.digest("base64")}`;
    if (integrity !== pins.integrity)
      throw new Error(`${url} is not the package that was pinned: expected ${pins.integrity}, received ${integrity}`);
    for (const file of files) await expectDigest(join(draft, file.name), file);

    await mkdir(dirname(target), { recursive: true });
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } catch (error) {
    // After an abort, unpacking may still open one more file, which would create the folder again. Wait for that first.
    await setTimeout(settleMs);
    throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/**
 * Downloads the runtime that a release carries for this platform: a sixth of npm's tarball, which holds every platform.
 * The release is not trusted: each file must have the SHA-256 that this bundle was built with.
 *
 * @param url of onnxruntime-VERSION-PLATFORM-ARCH.tgz
 */
export async function installFromRelease(
  url: string,
  target: string,
  files: readonly PinnedFile[],
  deps: Pick<InstallDeps, "fetch" | "timeoutMs">,
): Promise<void> {
  const { x: extract } = await import("tar");
  const draft = `${target}.${process.pid}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  try {
    const signal = AbortSignal.timeout(deps.timeoutMs);
    const response = await deps.fetch(url, { signal });
    if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
    const wanted = new Set(files.map((file) => file.name));
    await pipeline(
      Readable.fromWeb(response.body as import("node:stream/web").ReadableStream),
      extract({ cwd: draft, filter: (path) => wanted.has(path), strict: true }),
      { signal },
    );
    for (const file of files) await expectDigest(join(draft, file.name), file);
    await mkdir(dirname(target), { recursive: true });
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } catch (error) {
    // As above: unpacking may still be opening a file.
    await setTimeout(settleMs);
    throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function expectDigest(path: string, file: PinnedFile): Promise<void> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  if (hash.digest("hex") !== file.sha256) throw new Error(`${file.name} in the package is not the pinned file`);
}

/** The registry that npm would use: its environment variable, else the public one. */
export function registryOf(env: NodeJS.ProcessEnv): string {
  return (env["NPM_CONFIG_REGISTRY"] ?? env["npm_config_registry"] ?? "https://registry.npmjs.org").replace(/\/+$/, "");
}
