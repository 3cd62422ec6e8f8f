import { retryDelayMs } from "../models/remote/retry.ts";
import type { Failure } from "./client.ts";

/** `attempts`: number of requests that one row may be in. `maxWaitMs`: longest Retry-After that is waited for. */
export type Policy = { attempts: number; baseMs: number; maxMs: number; maxWaitMs: number };

/**
 * What to do after a failed request. `stop`: no other request would fare better. `split`: ask for the same rows in
 * smaller requests. `again`: repeat the request. `fail`: these rows get no answer.
 */
export type Step =
  | { do: "stop" }
  | { do: "fail" }
  | { do: "split"; counts: boolean; waitMs: number }
  | { do: "again"; waitMs: number };

const endsRun = new Set([401, 403, 404, 405]);
const transient = new Set([408, 425, 429]);
/** What fewer rows might not meet: too long a run, or one row that spoils its neighbours. */
const worthSplitting = new Set<string | number>([500, 504, "timeout", "bad-answer"]);

/**
 * @param rows number of rows in the failed request.
 * @param attempt number of requests that these rows were in, from 1.
 * @param random in [0, 1).
 */
export function stepAfter(failure: Failure, rows: number, attempt: number, policy: Policy, random: () => number): Step {
  const { status, code } = failure;
  if (status !== null && (endsRun.has(status) || status < 400)) return { do: "stop" };
  if (status !== null && status < 500 && !transient.has(status))
    return rows > 1 ? { do: "split", counts: false, waitMs: 0 } : { do: "fail" };
  if (attempt >= policy.attempts || (failure.retryAfterMs ?? 0) > policy.maxWaitMs) return { do: "fail" };
  // Full jitter on top of Retry-After, so that clients that were told the same time do not come back together.
  const waitMs = (failure.retryAfterMs ?? 0) + retryDelayMs(attempt, null, policy, random);
  return rows > 1 && worthSplitting.has(status ?? code)
    ? { do: "split", counts: true, waitMs }
    : { do: "again", waitMs };
}

/** Whether a status is the server's verdict on the row itself, which no repetition changes. */
export function isRefusal(status: number | null): boolean {
  return status !== null && status >= 400 && status < 500 && !transient.has(status);
}
