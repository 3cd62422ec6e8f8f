import { statusOf } from "../../github/api.ts";
import { sluiceCommand } from "../../models/core/invocation.ts";

/** What a failed request to GitHub means for the person who waits: what happened, and what to do next. Plain text. */
export type Explained = { what: string; next: string };

/**
 * @param token whose token GitHub refused, so that the right person is told what to do
 * @param now Unix time in milliseconds
 */
export function explainFailure(error: unknown, token: "bot" | "person", now: number): Explained {
  const status = statusOf(error);
  if (status === null) return { what: "GitHub did not answer", next: "Try again in a minute." };
  const resetAt = rateLimitReset(error, status, now);
  if (resetAt !== null)
    return {
      what: `GitHub's rate limit is used up (${status})`,
      next: `Trying again before ${new Date(resetAt).toISOString().slice(11, 16)} UTC does not help.`,
    };
  switch (status) {
    case 401:
      return token === "person"
        ? { what: "GitHub does not accept your login any more (401)", next: "Write /link to log in again." }
        : {
            what: "GitHub does not accept the bot's token (401)",
            next: "Trying again does not help: whoever runs the bot has to renew GITHUB_TOKEN.",
          };
    case 403:
      return {
        what: "GitHub does not allow it (403)",
        next:
          token === "person"
            ? "Your account lacks a right: a pending deployment takes a required reviewer."
            : `The bot's token lacks a right: ${sluiceCommand()} doctor says which.`,
      };
    case 404:
    case 410:
      return {
        what: `GitHub has no such thing (${status})`,
        next: "It was deleted, or the token may not see it: /runs",
      };
    default:
      return {
        what: `GitHub answered ${status}`,
        next: status >= 500 ? "Try again in a minute." : "Trying again does not help.",
      };
  }
}

/** Whether GitHub only asked to wait: then the same request may work later. */
export function isRateLimit(error: unknown): boolean {
  const status = statusOf(error);
  return status !== null && rateLimitReset(error, status, 0) !== null;
}

/** When the rate limit ends, as Unix time in milliseconds; null if the answer is not about a rate limit. */
function rateLimitReset(error: unknown, status: number, now: number): number | null {
  if (status !== 403 && status !== 429) return null;
  const { response, message } = error as { response?: { headers?: Record<string, string | number> }; message?: string };
  const { "retry-after": after, "x-ratelimit-remaining": left, "x-ratelimit-reset": reset } = response?.headers ?? {};
  if (after !== undefined) return now + Number(after) * 1000;
  if (left !== undefined && Number(left) === 0 && reset !== undefined) return Number(reset) * 1000;
  return status === 429 || /rate limit/i.test(message ?? "") ? now + 60_000 : null;
}
