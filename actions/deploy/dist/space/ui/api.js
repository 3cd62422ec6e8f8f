import { readEvents } from "./event-stream.js";

/**
 * Calls to the server that served this page. Each has a deadline, and every failure is a `Failure`.
 * @typedef {{ field: string, message: string }} FieldError `field` is a path in the row, e.g. "history[3]"; "" for the
 *   whole row
 * @typedef {"offline" | "timeout" | "cancelled" | "problem" | "unreadable"} FailureKind
 * @typedef {{ data: any, totalMs: number, headers: Headers, bytes: number }} Answer
 */

/** What went wrong, described for the user. */
export class Failure extends Error {
  /**
   * @param {FailureKind} kind
   * @param {string} title one sentence
   * @param {{
   *   detail?: string, status?: number, fields?: FieldError[], retryAfterMs?: number | null, cause?: unknown,
   * }} [more]
   */
  constructor(kind, title, more = {}) {
    super(title, { cause: more.cause });
    this.kind = kind;
    this.title = title;
    this.detail = more.detail ?? "";
    this.status = more.status ?? 0;
    this.fields = more.fields ?? [];
    this.retryAfterMs = more.retryAfterMs ?? null;
  }

  /** Whether the same request may succeed later. */
  get transient() {
    return this.kind === "offline" || this.kind === "timeout" || [429, 502, 503, 504].includes(this.status);
  }
}

/**
 * The key for a server that needs one, in memory only. The page sets `ask`, which lets the user type a key and resolves
 * to false if the user declines.
 * @type {{ value: string, ask: (wrong: boolean) => Promise<boolean> }}
 */
export const apiKey = { value: "", ask: async () => false };

/** Emits "answered" or "lost" for requests other than health checks, so that the health light changes at once. */
export const reach = new EventTarget();
export const HEALTH_PATH = "readyz";

/**
 * @typedef {{
 *   body?: unknown, timeoutMs?: number, signal?: AbortSignal, accept?: string, text?: boolean,
 *   also?: readonly number[], pieces?: (text: string) => void, method?: string, headers?: Record<string, string>,
 *   send?: Blob,
 * }} Options
 *   `send`: bytes that go as they are, in the place of `body`.
 *   `also`: statuses besides 2xx whose body is the answer.
 *   `pieces`: asks for a streamed answer and is called with every piece.
 */

/**
 * @param {string} path relative to the page, e.g. "models/mood/predict"
 * @param {Options} [options]
 * @returns {Promise<Answer>}
 * @throws {Failure}
 */
export async function request(path, options = {}) {
  for (;;) {
    const used = apiKey.value;
    try {
      return await once(path, options);
    } catch (error) {
      if (!(error instanceof Failure) || error.status !== 401) throw error;
      // Another request may have got a new key in the meantime.
      if (apiKey.value === used && !(await apiKey.ask(used !== ""))) throw error;
    }
  }
}

/** @param {string} path @param {Options} options @returns {Promise<Answer>} */
async function once(
  path,
  {
    body,
    timeoutMs = 30_000,
    signal,
    accept = "application/json",
    text = false,
    also = [],
    pieces,
    method = body === undefined ? "GET" : "POST",
    headers: more = {},
    send,
  },
) {
  const deadline = AbortSignal.timeout(timeoutMs);
  // A model may have a JSON of its own; this page reads the standard one.
  const standard = body === undefined ? "" : ", application/vnd.sluice.prediction+json";
  const headers = new Headers({ accept: `${pieces === undefined ? accept : "text/event-stream"}${standard}` });
  if (body !== undefined) headers.set("content-type", "application/json");
  if (apiKey.value !== "") headers.set("authorization", `Bearer ${apiKey.value}`);
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  const begun = performance.now();
  try {
    const response = await fetch(new URL(path, document.baseURI), {
      method,
      headers,
      ...(send !== undefined ? { body: send } : body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      cache: "no-store",
    });
    if (
      pieces !== undefined &&
      response.ok &&
      response.body !== null &&
      response.headers.get("content-type")?.startsWith("text/event-stream")
    ) {
      const data = await written(response.body, pieces);
      return { data, totalMs: performance.now() - begun, headers: response.headers, bytes: 0 };
    }
    const content = await response.text();
    const totalMs = performance.now() - begun;
    if (path !== HEALTH_PATH) reach.dispatchEvent(new Event("answered"));
    if (!response.ok && !also.includes(response.status)) throw refusal(response, content);
    return { data: text ? content : parsed(content), totalMs, headers: response.headers, bytes: content.length };
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (signal?.aborted) throw new Failure("cancelled", "Cancelled.", { cause: error });
    if (deadline.aborted)
      throw new Failure("timeout", `No answer within ${Math.round(timeoutMs / 1000)} seconds.`, {
        detail: "The server may be busy or waking up. Try again in a moment.",
        cause: error,
      });
    if (path !== HEALTH_PATH) reach.dispatchEvent(new Event("lost"));
    throw new Failure("offline", "The server cannot be reached.", {
      detail: "It may have stopped, or the connection is down. What you entered is still here.",
      cause: error,
    });
  }
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @param {(text: string) => void} pieces
 * @returns {Promise<unknown>} the whole answer
 * @throws {Failure} when the server reports an error or the stream ends early
 */
async function written(body, pieces) {
  /** @type {any} */
  let result = null;
  /** @type {any} */
  let problem = null;
  await readEvents(body, (event, data) => {
    if (event === "token") pieces(parsed(data).text);
    else if (event === "result") result = parsed(data);
    else if (event === "error") problem = parsed(data);
  });
  if (problem !== null)
    throw problemFailure(
      problem,
      Number(problem.status) || 0,
      typeof problem.retryAfter === "number" ? problem.retryAfter * 1000 : null,
    );
  if (result === null)
    throw new Failure("offline", "The answer stopped in the middle.", {
      detail: "The connection ended before the server had said everything.",
    });
  return result;
}

/** @param {string} content */
function parsed(content) {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new Failure("unreadable", "The answer is not JSON.", {
      detail: "Something between this page and the server may have replaced it.",
      cause: error,
    });
  }
}

/** @param {Response} response @param {string} content @returns {Failure} */
function refusal(response, content) {
  /** @type {any} */
  let problem = null;
  try {
    problem = JSON.parse(content);
  } catch {
    // Not JSON, for example a proxy's HTML page: only its status is known.
  }
  return problemFailure(problem, response.status, retryAfterMs(response.headers, Date.now()));
}

/**
 * @param {any} problem an RFC 9457 document, or null
 * @param {number} status
 * @param {number | null} pauseMs
 * @returns {Failure}
 */
function problemFailure(problem, status, pauseMs) {
  const known = CODES[String(problem?.code)] ?? WORDS[status];
  const detail = typeof problem?.detail === "string" ? problem.detail : "";
  const title = known ?? (typeof problem?.title === "string" ? problem.title : `The server answered ${status}.`);
  return new Failure("problem", title, { detail, status, fields: fieldErrors(problem), retryAfterMs: pauseMs });
}

/**
 * Titles for problem codes of remote models.
 * @type {Record<string, string>}
 */
const CODES = {
  "remote-failed": "The remote model did not give a whole answer.",
  "remote-busy": "The remote model is busy.",
  "remote-refused": "The remote model refuses this server.",
  "circuit-open": "The remote model has failed repeatedly and is left alone for a while.",
  "not-configured": "The remote model is not set up.",
  "unknown-job": "The server has no such job of yours.",
  "unknown-upload": "The server has no such upload of yours.",
  "owner-full": "There is no space left for you here.",
  "storage-full": "There is no space left on the server.",
  "jobs-of-owner": "You have as many jobs waiting as the server allows.",
  "jobs-full": "As many jobs are waiting as the server allows.",
};

/** @type {Record<number, string>} */
const WORDS = {
  400: "The server could not use this input.",
  401: "This server asks for an API key.",
  403: "This API key may not do that.",
  404: "The server has no such model.",
  413: "This is more than the server takes at once.",
  422: "The server could not use this input.",
  429: "The server is busy.",
  500: "The server made a mistake.",
  502: "The server behind this address does not answer.",
  503: "The server is not ready or too busy.",
  504: "The server did not finish in time.",
};

/**
 * @param {any} problem an RFC 9457 document, or anything else
 * @returns {FieldError[]}
 */
export function fieldErrors(problem) {
  if (!Array.isArray(problem?.errors)) return [];
  return problem.errors.map((/** @type {any} */ one) => {
    const expected = typeof one?.expected === "string" ? `; expected ${one.expected}` : "";
    const received =
      typeof one?.received === "string" && one.received !== "undefined" ? `; received ${one.received}` : "";
    return {
      field: String(one?.field ?? ""),
      message: `${String(one?.problem ?? "not usable")}${expected}${received}`,
    };
  });
}

/**
 * @param {Headers} headers
 * @param {number} nowMs
 * @returns {number | null} milliseconds to wait (Retry-After in seconds or as a date); null if the server names none
 */
export function retryAfterMs(headers, nowMs) {
  const value = headers.get("retry-after");
  if (value === null || value.trim() === "") return null;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}
