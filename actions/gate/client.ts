import { defaults, getOctokitOptions, GitHub as Octokit } from "@actions/github/lib/utils";
import { retry } from "@octokit/plugin-retry";
import { throttling } from "@octokit/plugin-throttling";

/** Nobody waits for a report: a request may take this long, and a rate limit may ask for this much patience. */
const requestTimeoutMs = 10_000;
const maxPauseSeconds = 20;
const maxRetries = 2;

export type ClientDeps = { token: string; env: NodeJS.ProcessEnv; log: (text: string) => void; timeoutMs?: number };

/**
 * Octokit for the API named by GITHUB_API_URL, through the machine's proxy when it has one.
 * Server errors are retried twice, rate limits as long as they ask for no more than 20 seconds; refusals and
 * requests that hang are not.
 */
export function createClient({
  token,
  env,
  log,
  timeoutMs = requestTimeoutMs,
}: ClientDeps): InstanceType<typeof Octokit> {
  const viaProxy = (defaults.request?.fetch ?? fetch) as typeof fetch;
  const impatient: typeof fetch = async (url, init) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      return await viaProxy(url, { ...init, signal: init?.signal ? AbortSignal.any([init.signal, timeout]) : timeout });
    } catch (error) {
      // Octokit passes an AbortError on as it is, where any other failure becomes a 500 and is tried again.
      if (timeout.aborted) throw new DOMException(`no answer within ${timeoutMs / 1000} s`, "AbortError");
      throw error;
    }
  };
  const onRateLimited =
    (what: string) =>
    (retryAfter: number, options: { method: string; url: string }, _octokit: unknown, retryCount: number) => {
      const again = retryAfter <= maxPauseSeconds && retryCount < maxRetries;
      log(
        `GitHub's ${what} on ${options.method} ${options.url}: asked to wait ${retryAfter} s; ${again ? "waiting" : "giving up"}`,
      );
      return again;
    };
  const Patient = Octokit.plugin(retry, throttling);
  const baseUrl = env["GITHUB_API_URL"] ?? "https://api.github.com";
  return new Patient(
    getOctokitOptions(token, {
      baseUrl,
      userAgent: "sluice-gate",
      // Not request.retries: the plugin would then retry refusals too.
      request: { fetch: impatient },
      retry: { retries: maxRetries, doNotRetry: [400, 401, 403, 404, 409, 410, 422, 429, 451] },
      // Paces are kept per server.
      throttle: {
        id: baseUrl,
        onRateLimit: onRateLimited("rate limit"),
        onSecondaryRateLimit: onRateLimited("secondary rate limit"),
      },
      log: { debug: () => {}, info: () => {}, warn: log, error: log },
    }),
  );
}
