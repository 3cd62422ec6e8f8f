import { retryAfterMs } from "../../models/core/retry-after.ts";
import type { Settings } from "./settings.ts";

export type HttpDeps = {
  fetch: typeof fetch;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  random: () => number;
  note: (text: string) => void;
  signal: AbortSignal;
};

export type Call = {
  method: "GET" | "POST" | "PUT" | "DELETE";
  url: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Whether repeating the call is harmless. Other calls are tried only once. */
  repeatable: boolean;
  timeoutMs?: number;
  /** Called before every attempt, so that a renewed token is used. */
  token?: () => Promise<string | null>;
};

export type Reply = { status: number; headers: Headers; bytes: Buffer };

/** The server refused. The message contains its answer, shortened, and nothing from the request. */
export class HttpRefusal extends Error {
  override name = "HttpRefusal";
  readonly status: number;
  readonly errorCode: string | null;
  /** The answer, if it was JSON. */
  readonly said: unknown;
  constructor(call: Call, { status, headers, bytes }: Reply) {
    super(`${call.method} ${new URL(call.url).pathname} answered ${status}: ${wordsOf(bytes)}`);
    this.status = status;
    this.errorCode = headers.get("x-error-code");
    this.said = jsonOf(bytes);
  }
}

/** No complete answer came: the server may or may not have carried out the request. */
export class NoAnswer extends Error {
  override name = "NoAnswer";
}

/** Whether the server may have carried out the request despite this error. */
export function mayHaveHappened(error: unknown): boolean {
  return error instanceof NoAnswer || (error instanceof HttpRefusal && error.status >= 500);
}

const maxWaitMs = 30_000;

/**
 * HTTP calls with time limits, bounded retries with jitter for repeatable calls, and a pace that stays within the rate
 * limit.
 */
export class Http {
  readonly #settings: Settings;
  readonly #deps: HttpDeps;
  /** How long to pause between polls so that the rate limit is not reached; 0 while plenty is left. */
  paceMs = 0;

  constructor(settings: Settings, deps: HttpDeps) {
    this.#settings = settings;
    this.#deps = deps;
  }

  /**
   * @returns the whole answer, status below 400
   * @throws HttpRefusal for a status of 400 or more, NoAnswer if no complete answer came, the signal's reason if
   * aborted
   */
  async call(call: Call): Promise<Reply> {
    const attempts = call.repeatable ? this.#settings.retries + 1 : 1;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(call);
      if (!(outcome instanceof Error)) {
        if (outcome.status < 400) return outcome;
        const refusal = new HttpRefusal(call, outcome);
        const again =
          outcome.status === 429 || outcome.status >= 500 || outcome.status === 408 || isRateLimited(outcome);
        if (!again || attempt >= attempts) throw refusal;
        await this.#wait(attempt, waitOf(outcome.headers), refusal.message);
      } else {
        this.#deps.signal.throwIfAborted();
        if (attempt >= attempts) throw outcome;
        await this.#wait(attempt, 0, outcome.message);
      }
    }
  }

  async json<T>(call: Call): Promise<T> {
    const { bytes } = await this.call({ ...call, headers: { accept: "application/json", ...call.headers } });
    try {
      return JSON.parse(bytes.toString("utf8")) as T;
    } catch (error) {
      throw new NoAnswer(`${call.method} ${new URL(call.url).pathname}: the answer is not JSON`, { cause: error });
    }
  }

  /** The pause before looking at, or retrying, a call with unknown outcome: the request may still take effect. */
  async pause(attempt: number): Promise<void> {
    await this.#deps.sleep(Math.min(maxWaitMs, this.#settings["retry-wait"] * 2 ** attempt), this.#deps.signal);
  }

  async #attempt(call: Call): Promise<Reply | NoAnswer> {
    const { signal, fetch: send } = this.#deps;
    signal.throwIfAborted();
    const timeoutMs = call.timeoutMs ?? this.#settings["request-timeout"];
    const place = `${call.method} ${new URL(call.url).pathname}`;
    // Outside the try, because a failure to get a token is not a failure of this request.
    const token = (await call.token?.()) ?? null;
    try {
      const response = await send(call.url, {
        method: call.method,
        headers: {
          "user-agent": "sluice-deploy",
          ...call.headers,
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        redirect: "follow",
        ...(call.body === undefined ? {} : { body: call.body as string }),
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      this.#observe(response.headers);
      return { status: response.status, headers: response.headers, bytes };
    } catch (error) {
      const cause = (error as { cause?: { code?: string } }).cause?.code;
      return new NoAnswer(
        `${place}: ${(error as Error).name === "TimeoutError" ? `no answer within ${timeoutMs / 1000} s` : `the connection failed (${cause ?? (error as Error).name})`}`,
        { cause: error },
      );
    }
  }

  async #wait(attempt: number, askedMs: number, why: string): Promise<void> {
    const own = this.#settings["retry-wait"] * 2 ** (attempt - 1) * (0.8 + 0.4 * this.#deps.random());
    const ms = Math.min(maxWaitMs, Math.max(own, askedMs));
    this.#deps.note(`${why}; trying again in ${(ms / 1000).toFixed(1)} s`);
    await this.#deps.sleep(ms, this.#deps.signal);
  }

  /**
   * Reads `ratelimit: "api";r=REMAINING;t=SECONDS`. If few calls remain, they are spread over the time until the reset.
   */
  #observe(headers: Headers): void {
    const found = /r=(\d+);t=(\d+)/.exec(headers.get("ratelimit") ?? "");
    if (found === null) return;
    const [remaining, seconds] = [Number(found[1]), Number(found[2])];
    this.paceMs = remaining > 100 ? 0 : Math.min(maxWaitMs, (seconds * 1000) / Math.max(1, remaining));
  }
}

/** GitHub reports some rate limits as 403 instead of 429. */
function isRateLimited({ status, headers }: Reply): boolean {
  return status === 403 && (headers.has("retry-after") || headers.get("x-ratelimit-remaining") === "0");
}

function waitOf(headers: Headers): number {
  const askedMs = retryAfterMs(headers.get("retry-after"), Date.now()) ?? 0;
  if (askedMs > 0) return askedMs;
  const reset = /r=0;t=(\d+)/.exec(headers.get("ratelimit") ?? "");
  return reset === null ? 0 : Number(reset[1]) * 1000;
}

function wordsOf(bytes: Buffer): string {
  const said = jsonOf(bytes) as {
    error?: unknown;
    message?: unknown;
    error_description?: unknown;
    detail?: unknown;
    status?: unknown;
  } | null;
  if (said === null || typeof said !== "object")
    return (
      bytes
        .toString("utf8")
        .replaceAll(/<[^>]*>/g, " ")
        .replaceAll(/\s+/g, " ")
        .trim()
        .slice(0, 200) || "no words"
    );
  return (
    [said.error, said.error_description, said.message, said.detail, said.status]
      .filter((one) => typeof one === "string")
      .join(": ")
      .slice(0, 300) || "no words"
  );
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8")) as unknown;
  } catch {
    return null;
  }
}
