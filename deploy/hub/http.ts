import type { z } from "zod";
import { retryAfterMs } from "../../models/core/retry-after.ts";
import type { Settings } from "./settings.ts";
import { streamed } from "./streamed-body.ts";

export type HttpDeps = {
  fetch: typeof fetch;
  /** Milliseconds on a clock that is never set: for every duration and every deadline. */
  monotonic: () => number;
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
  /**
   * Whether a single 401, 403, 404 or 423 means nothing yet: the call is repeated before one counts. For look-ups whose
   * answer decides something.
   */
  confirm?: boolean;
  /** How long the call may go without progress: a body counts as progress as it leaves. */
  timeoutMs?: number;
  /** Called with the number of bytes of a large body that have left so far. */
  progress?: (sent: number) => void;
  /** Whether the call gets a connection of its own. */
  ownConnection?: boolean;
  /** Called before every attempt, so that a renewed token is used. */
  token?: () => Promise<string | null>;
};

export type Reply = { status: number; headers: Headers; bytes: Buffer };

export type JsonReply<T> = { said: T; headers: Headers };

/** The server refused. The message contains its answer, shortened, and nothing from the request. */
export class HttpRefusal extends Error {
  override name = "HttpRefusal";
  readonly status: number;
  readonly errorCode: string | null;
  /** How long the server asks to be left alone; 0 if it does not say. */
  readonly retryAfterMs: number;
  /** The answer, if it was JSON. */
  readonly said: unknown;
  constructor(call: Call, { status, headers, bytes }: Reply) {
    super(`${call.method} ${new URL(call.url).pathname} answered ${status}: ${wordsOf(bytes)}`);
    this.status = status;
    this.retryAfterMs = waitOf(headers);
    this.errorCode = headers.get("x-error-code");
    this.said = jsonOf(bytes);
  }

  /** Whether the Hub refuses for want of room. It says so with the status of a missing permission. */
  get isStorageFull(): boolean {
    const words = this.message.replace(/^.*? answered \d+: /, "");
    return this.status === 507 || (this.status === 403 && /storage|quota/i.test(words));
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

/** The longest wait between two tries that we choose ourselves. */
const maxWaitMs = 30_000;
/** The longest wait that a server may ask for. One that asks for more has refused. */
const maxAskedMs = 15 * 60_000;

/** Refusals that a proxy or a replica may give once although nothing is wrong. */
const doubtful: ReadonlySet<number> = new Set([401, 403, 404, 423]);
const maxDoubts = 3;

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
  call(call: Call): Promise<Reply> {
    return this.#repeat(call, (reply) => reply);
  }

  /**
   * The answer as JSON. One that is not JSON, or not what the schema says, counts as no answer.
   *
   * @throws as `call` does
   */
  async json<T>(call: Call, schema?: z.ZodType<T>): Promise<T> {
    return (await this.jsonReply(call, schema)).said;
  }

  /** The same, with the headers of the answer. */
  jsonReply<T>(call: Call, schema?: z.ZodType<T>): Promise<JsonReply<T>> {
    const place = `${call.method} ${new URL(call.url).pathname}`;
    return this.#repeat(
      { ...call, headers: { accept: "application/json", ...call.headers } },
      ({ bytes, headers }) => ({ said: parseAnswer(place, bytes, schema), headers }),
    );
  }

  /** Makes a call, again where that is harmless. @param read throws NoAnswer for an answer that cannot be used */
  async #repeat<T>(call: Call, read: (reply: Reply) => T): Promise<T> {
    const { retries } = this.#settings;
    for (let attempt = 1; ; attempt += 1) {
      let failure: HttpRefusal | NoAnswer;
      let again = call.repeatable && attempt <= retries;
      const outcome = await this.#attempt(call);
      if (outcome instanceof NoAnswer) {
        this.#deps.signal.throwIfAborted();
        failure = outcome;
      } else if (outcome.status < 400) {
        try {
          return read(outcome);
        } catch (error) {
          if (!(error instanceof NoAnswer)) throw error;
          failure = error;
        }
      } else {
        failure = new HttpRefusal(call, outcome);
        const { status } = outcome;
        const isDoubtful = call.confirm === true && doubtful.has(status) && attempt < maxDoubts;
        // What was refused for its rate was not carried out, so any call may be sent again.
        if (status === 429 || isRateLimited(outcome)) again = attempt <= retries;
        else again &&= status >= 500 || status === 408 || isDoubtful;
      }
      const askedMs = failure instanceof HttpRefusal ? failure.retryAfterMs : 0;
      if (!again || askedMs > maxAskedMs) throw failure;
      await this.#wait(attempt, askedMs, failure.message);
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
    const limit = timeLimit(timeoutMs);
    const body = call.body === undefined ? null : streamed(call.body, limit.extend, call.progress);
    try {
      const response = await send(call.url, {
        method: call.method,
        headers: {
          "user-agent": "sluice-deploy",
          ...call.headers,
          ...body?.headers,
          ...(call.ownConnection === true ? { connection: "close" } : {}),
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        signal: AbortSignal.any([signal, limit.signal]),
        redirect: "follow",
        ...body?.init,
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      this.#observe(response.headers);
      return { status: response.status, headers: response.headers, bytes };
    } catch (error) {
      const cause = (error as { cause?: { code?: string } }).cause?.code;
      return new NoAnswer(
        `${place}: ${limit.signal.aborted ? `no answer within ${timeoutMs / 1000} s` : `the connection failed (${cause ?? (error as Error).name})`}`,
        { cause: error },
      );
    } finally {
      limit.end();
    }
  }

  async #wait(attempt: number, askedMs: number, why: string): Promise<void> {
    const own = this.#settings["retry-wait"] * 2 ** (attempt - 1) * (0.8 + 0.4 * this.#deps.random());
    const ms = Math.max(Math.min(maxWaitMs, own), askedMs);
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
  // A date is measured by the server's own clock, which ours need not agree with.
  const serverNow = Date.parse(headers.get("date") ?? "");
  const askedMs = retryAfterMs(headers.get("retry-after"), Number.isNaN(serverNow) ? Date.now() : serverNow) ?? 0;
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

/** @throws NoAnswer */
function parseAnswer<T>(place: string, bytes: Buffer, schema: z.ZodType<T> | undefined): T {
  let said: unknown;
  try {
    said = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new NoAnswer(`${place}: the answer is not JSON`, { cause: error });
  }
  if (schema === undefined) return said as T;
  const parsed = schema.safeParse(said);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") ?? "";
  throw new NoAnswer(`${place}: the answer is not what is documented${where === "" ? "" : `: ${where}`}`);
}

/** A time limit that starts again with every sign of progress. */
function timeLimit(ms: number): { signal: AbortSignal; extend: () => void; end: () => void } {
  const controller = new AbortController();
  const abort = () => {
    controller.abort(new DOMException(`nothing happened for ${ms} ms`, "TimeoutError"));
  };
  let timer = setTimeout(abort, ms);
  const end = () => {
    clearTimeout(timer);
  };
  const extend = () => {
    end();
    timer = setTimeout(abort, ms);
  };
  return { signal: controller.signal, extend, end };
}
