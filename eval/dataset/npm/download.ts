import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import ssri from "ssri";
import { EvaluationError } from "../../../models/core/errors.ts";
import type { NpmPackage } from "./package.ts";
import { tarballRequest } from "./registry.ts";

export type DownloadDeps = {
  fetch: typeof fetch;
  env: Record<string, string | undefined>;
  signal?: AbortSignal;
  /** Longest wait for the next byte. */
  idleTimeoutMs?: number;
  /** Longest time for the whole download. */
  timeoutMs?: number;
  /** Largest tarball that is accepted. */
  maxBytes?: number;
};

/**
 * Downloads a package's tarball. It appears at `target` only when its bytes match the integrity, so nothing unverified
 * is ever found there.
 * @throws EvaluationError `npm-unreachable`, `npm-refused` (HTTP status), `npm-timeout`, `npm-too-large`,
 *   `npm-integrity`
 */
export async function downloadTarball(pkg: NpmPackage, target: string, deps: DownloadDeps): Promise<void> {
  const { idleTimeoutMs = 30_000, timeoutMs = 600_000, maxBytes = 500_000_000 } = deps;
  const spec = `${pkg.name}@${pkg.version}`;
  const { url, headers } = tarballRequest(pkg, deps.env);
  const fail = (
    code: string,
    problem: string,
    more: { expected?: string; received?: string; hint?: string } = {},
    cause?: unknown,
  ) => new EvaluationError({ code, place: url, problem: `${spec}: ${problem}`, ...more }, { cause });

  const timeouts = new AbortController();
  let idleTimer: NodeJS.Timeout | undefined;
  const restartIdleTimer = () => {
    clearTimeout(idleTimer);
    idleTimer = setTimeout(
      () =>
        timeouts.abort(
          fail("npm-timeout", `the registry sent nothing for ${idleTimeoutMs / 1000} s`, { hint: offline(spec) }),
        ),
      idleTimeoutMs,
    );
  };
  const totalTimer = setTimeout(
    () =>
      timeouts.abort(
        fail("npm-timeout", `the download took longer than ${timeoutMs / 1000} s`, { hint: offline(spec) }),
      ),
    timeoutMs,
  );
  const signal = deps.signal === undefined ? timeouts.signal : AbortSignal.any([timeouts.signal, deps.signal]);

  const temporary = `${target}.${randomBytes(6).toString("hex")}.part`;
  await mkdir(dirname(target), { recursive: true });
  try {
    restartIdleTimer();
    const response = await deps.fetch(url, { headers, signal, redirect: "follow" });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw fail("npm-refused", `the registry answered HTTP ${response.status}`, {
        expected: "200",
        received: String(response.status),
        ...(response.status === 404 ? { hint: "check the package's name and version" } : {}),
      });
    }
    const hash = ssri.create({ algorithms: ["sha512"] });
    const file = await open(temporary, "wx");
    let bytes = 0;
    try {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        restartIdleTimer();
        bytes += chunk.byteLength;
        if (bytes > maxBytes) throw fail("npm-too-large", `the tarball is larger than ${maxBytes} bytes`);
        hash.update(chunk as unknown as string);
        await file.write(chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    const received = hash.digest().toString();
    if (received !== pkg.integrity)
      throw fail("npm-integrity", "the tarball is not the one that the manifest pins", {
        expected: pkg.integrity,
        received: `${received} (${bytes} bytes)`,
        hint: `npm view ${spec} dist.integrity`,
      });
    await rename(temporary, target);
  } catch (error) {
    if (error instanceof EvaluationError) throw error;
    if (timeouts.signal.aborted) throw timeouts.signal.reason;
    if (deps.signal?.aborted === true) throw deps.signal.reason;
    const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
    throw fail(
      "npm-unreachable",
      "the download failed",
      { received: cause?.code ?? cause?.message ?? message, hint: offline(spec) },
      error,
    );
  } finally {
    clearTimeout(idleTimer);
    clearTimeout(totalTimer);
    await rm(temporary, { force: true });
  }
}

function offline(spec: string): string {
  return `without a network, let npm bring the package into its own cache first (npm cache add ${spec}), point npm_config_registry at a registry that can be reached, or bring Sluice's cache folder along`;
}
