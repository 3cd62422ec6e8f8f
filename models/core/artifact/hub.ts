import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { EvaluationError } from "../errors.ts";
import { retryAfterMs } from "../retry-after.ts";
import { cachedContent, defaultCacheDir } from "./cache-dir.ts";
import { tooLarge, verify, type VerifiedFile } from "./verified-file.ts";

export type HubLocation = { repo: string; revision: string; path: string };

export type HubDeps = {
  /** HF_ENDPOINT, HF_TOKEN, and what `defaultCacheDir` reads. */
  env: Readonly<Record<string, string | undefined>>;
  fetch: typeof fetch;
  /** Where downloads are kept, by content; default: `defaultCacheDir(env)`. */
  cacheDir?: string;
  /** Waits between attempts. Tests pass their own. */
  sleep?: (ms: number) => Promise<void>;
  /** Time limit of one download attempt; default: 15 minutes. */
  timeoutMs?: number;
};

const ATTEMPTS = 4;
const MAX_WAIT_MS = 30_000;

/**
 * A file of a Hub model repository: from the cache if the cache has its digest, otherwise downloaded. The cache is
 * content-addressed and written by rename. An entry that no longer matches its digest is deleted and downloaded again.
 *
 * @throws EvaluationError: hub-missing, hub-denied, hub-unreachable, hub-refused, artifact-truncated, artifact-digest,
 *   artifact-too-large.
 */
export async function hubFile(
  location: HubLocation,
  sha256: string,
  maxBytes: number,
  deps: HubDeps,
): Promise<VerifiedFile> {
  const place = `${location.repo}@${location.revision}/${location.path}`;
  const cached = cachedContent(deps.cacheDir ?? defaultCacheDir(deps.env), sha256);
  const kept = await readFile(cached).catch(() => null);
  if (kept !== null) {
    try {
      return verify(kept, sha256, place);
    } catch {
      await rm(cached, { force: true });
    }
  }
  await mkdir(dirname(cached), { recursive: true });
  // In the folder of its destination, so that the rename is atomic. The pid keeps two processes apart.
  const partial = `${cached}.${process.pid}.${Math.random().toString(36).slice(2)}.part`;
  try {
    await retrying(place, deps, () => download(location, place, partial, maxBytes, deps));
    const verified = verify(await readFile(partial), sha256, place);
    await rename(partial, cached);
    return verified;
  } finally {
    await rm(partial, { force: true });
  }
}

async function download(
  location: HubLocation,
  place: string,
  partial: string,
  maxBytes: number,
  deps: HubDeps,
): Promise<void> {
  const { downloadFile, fileDownloadInfo } = await import("@huggingface/hub");
  const signal = AbortSignal.timeout(deps.timeoutMs ?? 15 * 60_000);
  const token = deps.env["HF_TOKEN"];
  const request = {
    repo: { type: "model" as const, name: location.repo },
    revision: location.revision,
    path: location.path,
    fetch: withRefusals(deps.fetch, signal),
    // A trailing slash would make the client request "//api".
    ...(deps.env["HF_ENDPOINT"] ? { hubUrl: deps.env["HF_ENDPOINT"].replace(/\/+$/, "") } : {}),
    ...(token ? { accessToken: token } : {}),
  };
  const info = await fileDownloadInfo(request);
  const missing = () =>
    new EvaluationError({
      code: "hub-missing",
      place,
      problem: "the file is not in the repository at this revision",
      expected: "a file that exists",
      received: "404 EntryNotFound",
    });
  if (info === null) throw missing();
  if (info.size > maxBytes) throw tooLarge(place, info.size, maxBytes);
  // No xet: its chunk protocol would bypass the limits of the injected fetch. The digest is checked here anyway.
  const blob = await downloadFile({ ...request, downloadInfo: info, xet: false });
  if (blob === null) throw missing();
  const file = await open(partial, "w");
  let received = 0;
  try {
    for await (const chunk of blob.stream()) {
      received += chunk.length;
      if (received > maxBytes) throw tooLarge(place, received, maxBytes);
      await file.writeFile(chunk);
    }
  } catch (error) {
    if (error instanceof EvaluationError) throw error;
    throw new Retry(truncated(place, info.size, received), 0, error);
  } finally {
    await file.close();
  }
  if (received < info.size) throw new Retry(truncated(place, info.size, received), 0);
}

const truncated = (place: string, expected: number, received: number) =>
  new EvaluationError({
    code: "artifact-truncated",
    place,
    problem: "the download ended too early",
    expected: `${expected} bytes`,
    received: `${received} bytes`,
  });

/** A failure that may be gone at the next attempt. `waitMs` is the wait that the server asked for. */
class Retry extends Error {
  readonly failure: EvaluationError;
  readonly waitMs: number;
  constructor(failure: EvaluationError, waitMs: number, cause?: unknown) {
    super(failure.message, { cause });
    this.failure = failure;
    this.waitMs = waitMs;
  }
}

async function retrying(place: string, deps: HubDeps, attempt: () => Promise<void>): Promise<void> {
  const sleep = deps.sleep ?? ((ms: number) => new Promise<void>((done) => setTimeout(done, ms)));
  for (let number = 1; ; number++) {
    try {
      return await attempt();
    } catch (error) {
      const retry = error instanceof Retry ? error : classify(error, place);
      if (!(retry instanceof Retry)) throw retry;
      if (number === ATTEMPTS) throw retry.failure;
      await sleep(Math.min(MAX_WAIT_MS, Math.max(retry.waitMs, 500 * 2 ** (number - 1))));
    }
  }
}

/** Distinguishes refusals from network failures. No message contains a token or a response body. */
function classify(error: unknown, place: string): Error {
  if (error instanceof EvaluationError) return error;
  if (error instanceof Refusal) {
    const { status, errorCode, waitMs } = error;
    const received = `HTTP ${status}${errorCode === null ? "" : ` ${errorCode}`}`;
    if (status === 404)
      return new EvaluationError({
        code: "hub-missing",
        place,
        problem: errorCode === "RevisionNotFound" ? "no such revision" : "no such repository or file",
        expected: "org/repo@revision/file that exists and that HF_TOKEN may read",
        received,
      });
    if (status === 401 || status === 403)
      return new EvaluationError({
        code: "hub-denied",
        place,
        problem: "the Hub refuses access",
        expected: "an HF_TOKEN that may read the repository (and its licence accepted, where it is gated)",
        received,
      });
    const refused = new EvaluationError({
      code: "hub-refused",
      place,
      problem: "the Hub answered with an error",
      expected: "HTTP 200",
      received,
    });
    return status === 429 || status >= 500 ? new Retry(refused, waitMs) : refused;
  }
  const reason = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).name;
  const unreachable = new EvaluationError(
    {
      code: "hub-unreachable",
      place,
      problem: "the Hub cannot be reached",
      expected: "an answer",
      received: reason,
      hint: "HF_ENDPOINT names another Hub",
    },
    { cause: error },
  );
  return (error as Error).name === "TimeoutError" ? unreachable : new Retry(unreachable, 0, error);
}

class Refusal extends Error {
  readonly status: number;
  readonly errorCode: string | null;
  readonly waitMs: number;
  constructor(response: Response) {
    super(`HTTP ${response.status}`);
    this.status = response.status;
    this.errorCode = response.headers.get("x-error-code");
    this.waitMs = retryAfterMs(response.headers.get("retry-after"), Date.now()) ?? 0;
  }
}

/**
 * The client drops the headers of an error response and takes no abort signal. This keeps what is needed of the headers
 * in a `Refusal` and passes the signal on.
 */
function withRefusals(inner: typeof fetch, signal: AbortSignal): typeof fetch {
  return async (input, init) => {
    const response = await inner(input, { ...init, signal });
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 404 && response.headers.get("x-error-code") === "EntryNotFound")
      return new Response(null, { status: 404, headers: { "X-Error-Code": "EntryNotFound" } });
    throw new Refusal(response);
  };
}
