import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import type { LfsPointer } from "../../models/core/artifact/lfs-pointer.ts";
import { EvaluationError } from "../../models/core/errors.ts";
import { isLoopback } from "../../models/core/loopback.ts";
import { retryAfterMs } from "../../models/core/retry-after.ts";
import { isSecure } from "./lfs-endpoint.ts";

export type LfsDownloadDeps = {
  fetch: typeof fetch;
  /** Sent to the servers of `tokenOrigin` alone. */
  token: string | null;
  /** Origin of the server that the token is for, e.g. https://github.com. */
  tokenOrigin: string;
  signal?: AbortSignal;
  /** Waits between attempts. Tests pass their own. */
  sleep?: (ms: number) => Promise<void>;
  /** Longest time for one attempt; default: 15 minutes. */
  timeoutMs?: number;
  /** Largest file that is fetched; default: 16 GiB. */
  maxBytes?: number;
};

const attempts = 4;
const maxWaitMs = 30_000;
const json = "application/vnd.git-lfs+json";

const action = z.looseObject({ href: z.url(), header: z.record(z.string(), z.string()).optional() });
/** The answer to a batch request: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md */
const batchAnswer = z.looseObject({
  objects: z
    .array(
      z.looseObject({
        oid: z.string(),
        actions: z.looseObject({ download: action.optional() }).optional(),
        error: z.looseObject({ code: z.int(), message: z.string() }).optional(),
      }),
    )
    .min(1),
});

/** An attempt that failed in a way that may be gone at the next one. */
class Again extends Error {
  readonly waitMs: number;
  constructor(message: string, waitMs: number, cause?: unknown) {
    super(message, { cause });
    this.waitMs = waitMs;
  }
}

/**
 * Fetches the file of a pointer with the LFS batch API, transfer "basic", and puts it to `target` by rename. The caller
 * hashes it.
 *
 * @param endpoint as `lfsEndpoint` gives it
 * @param place where the pointer was found, for the error
 * @throws EvaluationError `lfs-refused`, `lfs-unreachable`, `lfs-too-large`
 */
export async function downloadLfsObject(
  pointer: LfsPointer,
  endpoint: URL,
  target: string,
  place: string,
  deps: LfsDownloadDeps,
): Promise<void> {
  const sleep = deps.sleep ?? ((ms: number) => new Promise<void>((done) => setTimeout(done, ms)));
  const maxBytes = deps.maxBytes ?? 16 * 1024 ** 3;
  const fail = (code: string, problem: string, received: string, cause?: unknown) =>
    new EvaluationError(
      {
        code,
        place,
        problem: `a Git LFS pointer stands in the place of the file, and ${problem}`,
        expected: `the file with sha256 ${pointer.sha256}`,
        received,
        example: "- uses: actions/checkout@v7\n  with:\n    lfs: true",
        hint: "outside a workflow: `git lfs pull`",
      },
      { cause },
    );
  if (pointer.bytes > maxBytes)
    throw fail("lfs-too-large", "the file is too large", `${pointer.bytes} bytes; at most ${maxBytes}`);
  for (let number = 1; ; number++) {
    try {
      return await attempt(pointer, endpoint, target, deps, (problem, received) =>
        fail("lfs-refused", problem, received),
      );
    } catch (error) {
      if (deps.signal?.aborted === true) throw deps.signal.reason;
      if (error instanceof EvaluationError) throw error;
      const again = error instanceof Again ? error : null;
      // A time limit as long as this is not tried again.
      if (number === attempts || (error as Error).name === "TimeoutError") {
        const reason = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).message;
        throw fail("lfs-unreachable", `its server ${endpoint.host} does not give it`, reason, error);
      }
      await sleep(Math.min(maxWaitMs, Math.max(again?.waitMs ?? 0, 500 * 2 ** (number - 1))));
    }
  }
}

async function attempt(
  pointer: LfsPointer,
  endpoint: URL,
  target: string,
  deps: LfsDownloadDeps,
  refuse: (problem: string, received: string) => EvaluationError,
): Promise<void> {
  const timeout = AbortSignal.timeout(deps.timeoutMs ?? 15 * 60_000);
  const signal = deps.signal === undefined ? timeout : AbortSignal.any([timeout, deps.signal]);
  const credentials = (url: URL): Record<string, string> =>
    deps.token !== null && url.origin === deps.tokenOrigin
      ? { authorization: `Basic ${Buffer.from(`x-access-token:${deps.token}`).toString("base64")}` }
      : {};

  const answer = await deps.fetch(`${endpoint.href}/objects/batch`, {
    method: "POST",
    // A redirect could lead to a server that nobody named.
    redirect: "error",
    headers: { accept: json, "content-type": json, ...credentials(endpoint) },
    body: JSON.stringify({
      operation: "download",
      transfers: ["basic"],
      hash_algo: "sha256",
      objects: [{ oid: pointer.sha256, size: pointer.bytes }],
    }),
    signal,
  });
  await requireOk(answer, `its server ${endpoint.host} refuses it`, refuse);
  const parsed = batchAnswer.safeParse(await answer.json().catch(() => null));
  const object = parsed.data?.objects.find((one) => one.oid === pointer.sha256);
  if (object === undefined) throw refuse("its server's answer is not the LFS API's", `HTTP ${answer.status}`);
  if (object.error !== undefined)
    throw refuse("its server does not have it", `${object.error.code} ${object.error.message.slice(0, 200)}`);
  const download = object.actions?.download;
  if (download === undefined) throw refuse("its server names no place to fetch it from", "no action `download`");

  const source = new URL(download.href);
  if (!isSecure(source) || (isLoopback(source.hostname) && !isLoopback(endpoint.hostname)))
    throw refuse("its server names a place that is not safe to fetch from", `${source.protocol}//${source.host}`);
  const given = download.header ?? {};
  const named = Object.keys(given).some((name) => name.toLowerCase() === "authorization");
  const response = await deps.fetch(source, {
    headers: { ...(named ? {} : credentials(source)), ...given },
    redirect: "follow",
    signal,
  });
  await requireOk(response, `its store ${source.host} refuses it`, refuse);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const draft = `${target}.${randomBytes(6).toString("hex")}.part`;
  try {
    await receive(response, draft, pointer);
    await rename(draft, target);
  } finally {
    await rm(draft, { force: true });
  }
}

async function requireOk(
  response: Response,
  problem: string,
  refuse: (problem: string, received: string) => EvaluationError,
): Promise<void> {
  if (response.ok) return;
  await response.body?.cancel();
  if (response.status === 429 || response.status >= 500)
    throw new Again(`HTTP ${response.status}`, retryAfterMs(response.headers.get("retry-after"), Date.now()) ?? 0);
  throw refuse(
    problem,
    `HTTP ${response.status}${response.status === 401 || response.status === 403 || response.status === 404 ? ": the token may not read it" : ""}`,
  );
}

async function receive(response: Response, draft: string, pointer: LfsPointer): Promise<void> {
  const file = await open(draft, "wx", 0o600);
  let bytes = 0;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      if (bytes > pointer.bytes) throw new Again(`more than ${pointer.bytes} bytes`, 0);
      await file.write(chunk);
    }
  } finally {
    await file.close();
  }
  if (bytes < pointer.bytes) throw new Again(`${bytes} of ${pointer.bytes} bytes`, 0);
}
