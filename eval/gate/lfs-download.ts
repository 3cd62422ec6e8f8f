import { createHash, randomBytes, type Hash } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import pLimit from "p-limit";
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

/** A file to fetch. */
export type WantedObject = {
  pointer: LfsPointer;
  /** Where it is put. */
  target: string;
  /** Where the pointer was found, for the error. */
  place: string;
};

const attempts = 4;
const maxWaitMs = 30_000;
/** As git-lfs asks and transfers by default: so many objects in a request, so many transfers at a time. */
const objectsAtOnce = 100;
const transfersAtOnce = 8;
const json = "application/vnd.git-lfs+json";

const action = z.looseObject({ href: z.url(), header: z.record(z.string(), z.string()).optional() });
const answeredObject = z.looseObject({
  oid: z.string(),
  actions: z.looseObject({ download: action.optional() }).optional(),
  error: z.looseObject({ code: z.int(), message: z.string() }).optional(),
});
type AnsweredObject = z.infer<typeof answeredObject>;
/** The answer to a batch request: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md */
const batchAnswer = z.looseObject({ objects: z.array(answeredObject).min(1) });

/** An attempt that failed in a way that may be gone at the next one. */
class Again extends Error {
  readonly waitMs: number;
  constructor(message: string, waitMs: number, cause?: unknown) {
    super(message, { cause });
    this.waitMs = waitMs;
  }
}

/** A file on its way: the next attempt goes on where the last one was cut off. */
type Transfer = WantedObject & { draft: string; bytes: number; hash: Hash };

/**
 * Fetches the files of pointers with the LFS batch API, transfer "basic": one request for many, then several files at a
 * time. A file is put to its target by rename as soon as it is whole and has the pointer's SHA-256, so that what is there
 * need not be fetched again when another one fails.
 *
 * @param wanted each file once
 * @param endpoint as `lfsEndpoint` gives it
 * @throws EvaluationError `lfs-refused`, `lfs-unreachable`, `lfs-too-large`, `lfs-missing`
 */
export async function downloadLfsObjects(
  wanted: readonly WantedObject[],
  endpoint: URL,
  deps: LfsDownloadDeps,
): Promise<void> {
  const sleep = deps.sleep ?? ((ms: number) => new Promise<void>((done) => setTimeout(done, ms)));
  const maxBytes = deps.maxBytes ?? 16 * 1024 ** 3;
  for (const one of wanted)
    if (one.pointer.bytes > maxBytes)
      throw failure(one, "lfs-too-large", "the file is too large", `${one.pointer.bytes} bytes; at most ${maxBytes}`);
  const started = wanted.map((one) => ({
    ...one,
    draft: `${one.target}.${randomBytes(6).toString("hex")}.part`,
    bytes: 0,
    hash: createHash("sha256"),
  }));
  try {
    let pending = started;
    for (let number = 1; ; number++) {
      const failed = await attempt(pending, endpoint, deps);
      if (failed.length === 0) return;
      const final = failed.find(({ error }) => number === attempts || error.name === "TimeoutError");
      if (final !== undefined) {
        const reason = (final.error as { cause?: { code?: string } }).cause?.code ?? final.error.message;
        const problem = `its server ${endpoint.host} does not give it`;
        throw failure(final.transfer, "lfs-unreachable", problem, reason, final.error);
      }
      const asked = failed.map(({ error }) => (error instanceof Again ? error.waitMs : 0));
      await sleep(Math.min(maxWaitMs, Math.max(500 * 2 ** (number - 1), ...asked)));
      pending = failed.map(({ transfer }) => transfer);
    }
  } finally {
    await Promise.all(started.map(({ draft }) => rm(draft, { force: true })));
  }
}

function failure(
  { pointer, place }: WantedObject,
  code: string,
  problem: string,
  received: string,
  cause?: unknown,
): EvaluationError {
  return new EvaluationError(
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
}

/** @returns what may work at the next attempt. @throws EvaluationError for the first file that cannot be had */
async function attempt(
  transfers: readonly Transfer[],
  endpoint: URL,
  deps: LfsDownloadDeps,
): Promise<{ transfer: Transfer; error: Error }[]> {
  const stop = new AbortController();
  const failed: { transfer: Transfer; error: Error }[] = [];
  const limit = pLimit(transfersAtOnce);
  const signalOf = () => {
    const signals = [stop.signal, AbortSignal.timeout(deps.timeoutMs ?? 15 * 60_000)];
    return AbortSignal.any(deps.signal === undefined ? signals : [...signals, deps.signal]);
  };
  /** Runs something; a failure that may pass is noted for each of the transfers that it is about. */
  const noting = async (about: readonly Transfer[], act: () => Promise<void>) => {
    try {
      await act();
    } catch (error) {
      deps.signal?.throwIfAborted();
      if (error instanceof EvaluationError) throw error;
      failed.push(...about.map((transfer) => ({ transfer, error: error as Error })));
    }
  };
  const fetchAll = async (some: readonly Transfer[]): Promise<void> => {
    const answered = await askFor(some, endpoint, signalOf(), deps);
    if (answered === "too many") {
      const half = Math.ceil(some.length / 2);
      for (const part of [some.slice(0, half), some.slice(half)]) await noting(part, () => fetchAll(part));
      return;
    }
    await Promise.all(
      some.map((one) =>
        limit(() =>
          noting([one], async () => {
            stop.signal.throwIfAborted();
            await fetchObject(one, answered.get(one.pointer.sha256), endpoint, signalOf(), deps);
          }),
        ),
      ),
    );
  };
  try {
    for (let at = 0; at < transfers.length; at += objectsAtOnce) {
      const some = transfers.slice(at, at + objectsAtOnce);
      await noting(some, () => fetchAll(some));
    }
  } catch (error) {
    // Ends the other transfers, and waits for them: no file is written after this.
    stop.abort();
    limit.clearQueue();
    await new Promise<void>((done) => {
      const look = () => (limit.activeCount === 0 ? done() : setImmediate(look));
      look();
    });
    throw error;
  }
  return failed;
}

/** Credentials for the server that the token is for. */
function credentials(url: URL, { token, tokenOrigin }: LfsDownloadDeps): Record<string, string> {
  return token !== null && url.origin === tokenOrigin
    ? { authorization: `Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}` }
    : {};
}

/** Where the server says that files are, by SHA-256. */
async function askFor(
  transfers: readonly Transfer[],
  endpoint: URL,
  signal: AbortSignal,
  deps: LfsDownloadDeps,
): Promise<Map<string, AnsweredObject> | "too many"> {
  const answer = await deps.fetch(`${endpoint.href}/objects/batch`, {
    method: "POST",
    // A redirect could lead to a server that nobody named.
    redirect: "error",
    headers: { accept: json, "content-type": json, ...credentials(endpoint, deps) },
    body: JSON.stringify({
      operation: "download",
      transfers: ["basic"],
      hash_algo: "sha256",
      objects: transfers.map(({ pointer }) => ({ oid: pointer.sha256, size: pointer.bytes })),
    }),
    signal,
  });
  const [first] = transfers;
  if (answer.status === 413 && transfers.length > 1) {
    await answer.body?.cancel();
    return "too many";
  }
  await requireOk(answer, first!, `its server ${endpoint.host} refuses it`);
  const parsed = batchAnswer.safeParse(await answer.json().catch(() => null));
  return new Map(parsed.data?.objects.map((one) => [one.oid, one]));
}

async function fetchObject(
  transfer: Transfer,
  object: AnsweredObject | undefined,
  endpoint: URL,
  signal: AbortSignal,
  deps: LfsDownloadDeps,
): Promise<void> {
  const { pointer, target, draft } = transfer;
  const refuse = (problem: string, received: string) => failure(transfer, "lfs-refused", problem, received);
  if (object === undefined) throw refuse("its server's answer is not the LFS API's", "nothing about this file");
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
    headers: {
      ...(named ? {} : credentials(source, deps)),
      ...given,
      ...(transfer.bytes > 0 ? { range: `bytes=${transfer.bytes}-` } : {}),
    },
    redirect: "follow",
    signal,
  });
  await requireOk(response, transfer, `its store ${source.host} refuses it`);
  const goesOn = response.headers.get("content-range")?.startsWith(`bytes ${transfer.bytes}-`) === true;
  if (response.status !== 206 || !goesOn) restart(transfer);
  if (response.status === 206 && !goesOn) {
    await response.body?.cancel();
    throw new Again("another part than was asked for", 0);
  }
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await receive(response, transfer);
  if (transfer.hash.copy().digest("hex") !== pointer.sha256)
    throw failure(transfer, "lfs-missing", `${endpoint.host} gives another file`, "only the pointer");
  await rename(draft, target);
}

function restart(transfer: Transfer): void {
  transfer.bytes = 0;
  transfer.hash = createHash("sha256");
}

async function requireOk(response: Response, about: WantedObject, problem: string): Promise<void> {
  if (response.ok) return;
  await response.body?.cancel();
  const { status } = response;
  if (status === 429 || status >= 500)
    throw new Again(`HTTP ${status}`, retryAfterMs(response.headers.get("retry-after"), Date.now()) ?? 0);
  const unread = status === 401 || status === 403 || status === 404 ? ": the token may not read it" : "";
  throw failure(about, "lfs-refused", problem, `HTTP ${status}${unread}`);
}

/** Appends an answer's bytes to the draft, or writes them from its start. */
async function receive(response: Response, transfer: Transfer): Promise<void> {
  const { draft, pointer } = transfer;
  const file = await open(draft, transfer.bytes === 0 ? "w" : "r+", 0o600);
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      if (transfer.bytes + chunk.byteLength > pointer.bytes) {
        restart(transfer);
        throw new Again(`more than ${pointer.bytes} bytes`, 0);
      }
      await file.write(chunk, 0, chunk.byteLength, transfer.bytes);
      transfer.hash.update(chunk);
      transfer.bytes += chunk.byteLength;
    }
  } finally {
    await file.close();
  }
  if (transfer.bytes < pointer.bytes) throw new Again(`${transfer.bytes} of ${pointer.bytes} bytes`, 0);
}
