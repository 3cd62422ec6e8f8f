import { Refused } from "../scheduling/refused.ts";

export type BreakerState = "closed" | "half-open" | "open";

/** A row that may be tried; exactly one of its ends is told. */
export type Permit = {
  succeeded(): void;
  /** @param pauseMs what the provider asks for; the breaker stays open at least that long. */
  failed(pauseMs?: number): void;
  /** The client left, say: it proves nothing. */
  abandoned(): void;
};

export type Breaker = {
  /** @throws Refused "circuit-open" while nothing is tried. */
  admit(): Permit;
  state(): BreakerState;
  /** Until something is tried again; 0 unless open. */
  pauseMs(): number;
};

/**
 * A circuit breaker: closed until `failures` rows in a row have failed, then open for `openMs`, then half-open: one row
 * is tried, which closes it or opens it again.
 *
 * @param changed told of every change of state.
 */
export function createBreaker(
  options: { failures: number; openMs: number },
  now: () => number,
  changed: (state: BreakerState) => void,
): Breaker {
  let failures = 0;
  let openUntil: number | null = null;
  let probing = false;
  let told: BreakerState = "closed";

  const state = (): BreakerState => (openUntil === null ? "closed" : now() >= openUntil ? "half-open" : "open");
  const tell = () => {
    if (told === state()) return;
    told = state();
    changed(told);
  };
  const pauseMs = () => (openUntil === null ? 0 : Math.max(0, openUntil - now()));

  return {
    state,
    pauseMs,
    admit() {
      tell();
      if (state() === "open")
        throw new Refused(
          "circuit-open",
          `the remote model has failed ${failures} times in a row, and nobody is asked until the pause is over`,
          pauseMs(),
        );
      if (state() === "half-open") {
        if (probing)
          throw new Refused("circuit-open", "the remote model is being tried again by another request", 1000);
        probing = true;
      }
      const probe = openUntil !== null;
      let ended = false;
      const end = (then: () => void) => {
        if (ended) return;
        ended = true;
        if (probe) probing = false;
        then();
        tell();
      };
      return {
        succeeded: () =>
          end(() => {
            // A row that was let in before the breaker opened does not close it again.
            if (!probe && openUntil !== null) return;
            failures = 0;
            openUntil = null;
          }),
        failed: (pause = 0) =>
          end(() => {
            failures++;
            if (probe || failures >= options.failures) openUntil = now() + Math.max(options.openMs, pause);
          }),
        abandoned: () => end(() => {}),
      };
    },
  };
}
