import type { Client } from "./client.ts";

/** A repository, and the client to ask about it. */
export type RepositoryApi = { octokit: Client; owner: string; repo: string };

/** Spread into a request that must not be sent twice. Never `retries` for others: refusals would be retried, too. */
export const sentOnce = { request: { retries: 0 } } as const;

/**
 * The HTTP status of a failure; null where no answer came. Octokit gives 500, without a response, to whatever the
 * transport throws; a transport that throws refusals says their status itself.
 */
export function statusOf(error: unknown): number | null {
  if (!(error instanceof Error)) return null;
  const { status, response, cause } = error as Error & { status?: unknown; response?: unknown };
  if (typeof status === "number" && response !== undefined) return status;
  return cause instanceof Error && "status" in cause && typeof cause.status === "number" ? cause.status : null;
}

/** Whether a refused call certainly changed nothing: GitHub said no. */
export function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  return status !== null && status >= 400 && status < 500;
}
