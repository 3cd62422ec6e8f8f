import type { Client } from "./client.ts";

/** A repository, and the client to ask about it. */
export type RepositoryApi = { octokit: Client; owner: string; repo: string };

/**
 * Spread into a request that must not be sent twice. Never set `retries` on other requests: refusals would be retried
 * too.
 */
export const sentOnce = { request: { retries: 0 } } as const;

/**
 * The HTTP status of a failure; null if no answer came. When the transport throws, Octokit reports status 500 without a
 * response. A transport that throws refusals puts the status on its error.
 */
export function statusOf(error: unknown): number | null {
  if (!(error instanceof Error)) return null;
  const { status, response, cause } = error as Error & { status?: unknown; response?: unknown };
  if (typeof status === "number" && response !== undefined) return status;
  return cause instanceof Error && "status" in cause && typeof cause.status === "number" ? cause.status : null;
}

/** Whether GitHub refused the call, so that it certainly changed nothing. */
export function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  return status !== null && status >= 400 && status < 500;
}
