import { retry } from "@octokit/plugin-retry";
import { throttling } from "@octokit/plugin-throttling";
import { Octokit } from "@octokit/rest";

const WithRetries = Octokit.plugin(retry, throttling);
export type Client = InstanceType<typeof WithRetries>;

type ClientOptions = {
  token: string;
  /** GITHUB_API_URL. */
  apiUrl: string;
  /** Identifies the caller in GitHub's logs. */
  userAgent: string;
  fetch: typeof fetch;
  /** Gets rate limits and warnings, one line each, never with the token. */
  log: (line: string) => void;
  /** Logs every request that failed, too. */
  logFailures?: boolean;
  /** null if `fetch` has its own time limits and retries; then every request is passed to it once. */
  limits: Limits | null;
};

type Limits = {
  /** Time limit of one request. */
  timeoutMs: number;
  /** The longest pause that a rate limit may ask for. If it asks for more, the request fails. */
  maxPauseSeconds: number;
  /** Which requests are sent again after a rate limit. */
  waitsFor: "reads" | "every request";
  /** The pause after a secondary rate limit that names none. */
  secondaryPauseSeconds: number;
};

const maxRetries = 2;
/** With these, GitHub refuses or asks for a pause. The throttling plugin handles the pauses. */
const doNotRetry = [400, 401, 403, 404, 409, 410, 422, 429, 451];

/**
 * Octokit with limits: requests time out, server errors are retried twice, and short pauses asked for by rate limits
 * are waited for. Refusals are final.
 */
export function createClient({
  token,
  apiUrl,
  userAgent,
  fetch: transport,
  log,
  logFailures = false,
  limits,
}: ClientOptions): Client {
  const say = (line: string) => {
    log(line.replaceAll(token, "***"));
  };
  const silent = () => {};
  return new WithRetries({
    auth: token,
    baseUrl: apiUrl.replace(/\/+$/, ""),
    userAgent,
    request: { fetch: limits === null ? transport : withTimeout(transport, limits.timeoutMs) },
    retry: limits === null ? { enabled: false } : { retries: maxRetries, doNotRetry },
    throttle: limits === null ? { enabled: false } : throttleOptions(apiUrl, limits, say),
    log: { debug: silent, info: silent, warn: say, error: logFailures ? say : silent },
  });
}

function withTimeout(transport: typeof fetch, timeoutMs: number): typeof fetch {
  return async (url, init) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      return await transport(url, {
        ...init,
        signal: init?.signal ? AbortSignal.any([init.signal, timeout]) : timeout,
      });
    } catch (error) {
      // Octokit rethrows an AbortError unchanged. Any other failure becomes a 500, which would be retried.
      if (timeout.aborted) throw new DOMException(`no answer within ${timeoutMs / 1000} s`, "AbortError");
      throw error;
    }
  };
}

function throttleOptions(
  apiUrl: string,
  { maxPauseSeconds, waitsFor, secondaryPauseSeconds }: Limits,
  log: (line: string) => void,
) {
  const onRateLimited =
    (what: string) =>
    (retryAfter: number, { method, url }: { method: string; url: string }, _octokit: unknown, retryCount: number) => {
      const mayWait = waitsFor === "every request" || method === "GET";
      const again = mayWait && retryAfter <= maxPauseSeconds && retryCount < maxRetries;
      log(`GitHub's ${what} on ${method} ${url}: asked to wait ${retryAfter} s; ${again ? "waiting" : "giving up"}`);
      return again;
    };
  return {
    // Requests are throttled per server.
    id: apiUrl,
    fallbackSecondaryRateRetryAfter: secondaryPauseSeconds,
    onRateLimit: onRateLimited("rate limit"),
    onSecondaryRateLimit: onRateLimited("secondary rate limit"),
  };
}
