import { HttpRefusal, NoAnswer, type Http } from "./http.ts";

export type RetryLimits = {
  /** How long nobody may answer, in milliseconds, before that is the answer. */
  outageMs: number;
  /** The same for a refusal that could be a passing one: 401, 403, 404, 423 and the like. */
  refusalMs: number;
  /** Between two tries at least. */
  pauseMs: number;
};

type RetryDeps = {
  http: Http;
  monotonic: () => number;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  signal: AbortSignal;
  note: (text: string) => void;
};

/** A refusal counts when it was heard this often, however quickly. */
const minRefusals = 3;

/**
 * Asks until there is an answer: a server that is away for a while, and a refusal that passes, mean nothing yet.
 *
 * @throws the last HttpRefusal or NoAnswer when the limits are reached; anything else at once
 */
export async function untilAnswered<T>(ask: () => Promise<T>, limits: RetryLimits, deps: RetryDeps): Promise<T> {
  let outageSince: number | null = null;
  let refusedSince: number | null = null;
  let refusals = 0;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      deps.signal.throwIfAborted();
      if (!(error instanceof NoAnswer || error instanceof HttpRefusal)) throw error;
      const now = deps.monotonic();
      const away = error instanceof NoAnswer || error.status >= 500 || error.status === 429 || error.status === 408;
      if (away) {
        outageSince ??= now;
        refusedSince = null;
        refusals = 0;
        if (now - outageSince >= limits.outageMs) throw error;
      } else {
        refusedSince ??= now;
        outageSince = null;
        refusals += 1;
        if (refusals >= minRefusals && now - refusedSince >= limits.refusalMs) throw error;
      }
      deps.note(`${error.message}; asking again`);
      const askedMs = error instanceof HttpRefusal ? error.retryAfterMs : 0;
      await deps.sleep(Math.max(limits.pauseMs, askedMs, deps.http.paceMs), deps.signal);
    }
  }
}
