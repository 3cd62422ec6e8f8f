import { retry } from "@octokit/plugin-retry";
import { throttling } from "@octokit/plugin-throttling";
import { Octokit } from "@octokit/rest";

const WithRetries = Octokit.plugin(retry, throttling);
export type Client = InstanceType<typeof WithRetries>;

type ClientOptions = {
  token: string;
  /** GITHUB_API_URL. */
  apiUrl: string;
  /** Who asks, for GitHub's logs. */
  userAgent: string;
  fetch: typeof fetch;
  /** Rate limits and warnings, one line each; the token never appears. */
  log: (line: string) => void;
  /** Logs every request that failed, too. */
  logFailures?: boolean;
  /** null: `fetch` has time limits and retries of its own, and every request is handed to it once. */
  limits: Limits | null;
};

type Limits = {
  /** Of one request. */
  timeoutMs: number;
  /** Pause that a rate limit may ask for; a longer one ends the request. */
  maxPauseSeconds: number;
  /** What is sent again after a rate limit. */
  waitsFor: "reads" | "every request";
  /** Pause after a secondary rate limit that does not say how long. */
  secondaryPauseSeconds: number;
};

const maxRetries = 2;
/** GitHub has said no, or asks for a pause, which `throttling` sees to. */
const doNotRetry = [400, 401, 403, 404, 409, 410, 422, 429, 451];

/**
 * Octokit with limits: a request that hangs ends, server errors are retried twice, rate limits are waited for while
 * they ask for little. Refusals are final.
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
      // Octokit passes an AbortError on as it is. Any other failure becomes a 500, which would be retried.
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
    // The pace of requests is kept per server.
    id: apiUrl,
    fallbackSecondaryRateRetryAfter: secondaryPauseSeconds,
    onRateLimit: onRateLimited("rate limit"),
    onSecondaryRateLimit: onRateLimited("secondary rate limit"),
  };
}
