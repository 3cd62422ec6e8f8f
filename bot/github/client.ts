import { retry } from "@octokit/plugin-retry";
import { throttling } from "@octokit/plugin-throttling";
import { Octokit } from "@octokit/rest";

const Patient = Octokit.plugin(retry, throttling);
export type Client = InstanceType<typeof Patient>;

export type GitHubDeps = { apiUrl: string; fetch: typeof fetch; log: (text: string) => void; timeoutMs?: number };

const maxPauseSeconds = 30;

/**
 * Octokit with a time limit on every request, two retries of reads, and patience with rate limits. What changes
 * something is never sent twice by itself: who calls decides after looking.
 */
export function createClient(token: string, { apiUrl, fetch: transport, log, timeoutMs = 10_000 }: GitHubDeps): Client {
  const impatient: typeof fetch = async (url, init) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      return await transport(url, {
        ...init,
        signal: init?.signal ? AbortSignal.any([init.signal, timeout]) : timeout,
      });
    } catch (error) {
      if (timeout.aborted) throw new DOMException(`no answer within ${timeoutMs / 1000} s`, "AbortError");
      throw error;
    }
  };
  const onRateLimited =
    (what: string) =>
    (retryAfter: number, { method, url }: { method: string; url: string }, _octokit: unknown, count: number) => {
      const again = method === "GET" && retryAfter <= maxPauseSeconds && count < 2;
      log(`GitHub's ${what} on ${method} ${url}: asked to wait ${retryAfter} s; ${again ? "waiting" : "giving up"}`);
      return again;
    };
  return new Patient({
    auth: token,
    baseUrl: apiUrl,
    userAgent: "sluice-bot",
    request: { fetch: impatient },
    retry: { retries: 2, doNotRetry: [400, 401, 403, 404, 409, 410, 422, 429, 451] },
    throttle: {
      id: apiUrl,
      fallbackSecondaryRateRetryAfter: 5,
      onRateLimit: onRateLimited("rate limit"),
      onSecondaryRateLimit: onRateLimited("secondary rate limit"),
    },
    log: { debug: () => {}, info: () => {}, warn: log, error: log },
  });
}

/** The HTTP status of a failure; null where no answer came. */
export function statusOf(error: unknown): number | null {
  return error instanceof Error && "status" in error && typeof error.status === "number" && "response" in error
    ? error.status
    : null;
}

/** Whether a refused call certainly changed nothing: GitHub said no. */
export function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  return status !== null && status >= 400 && status < 500;
}
