import { RemoteFailure } from "./failure.ts";

export type BreakerState = "closed" | "half-open" | "open";

/** Permission to try one row. Call exactly one of the three methods at the end; later calls are ignored. */
type Permit = {
  succeeded(): void;
  /** @param pauseMs pause that the provider asks for; the breaker stays open at least that long. */
  failed(pauseMs?: number): void;
  /** Neither succeeded nor failed: the client disconnected, for example, which proves nothing. */
  abandoned(): void;
};

export type Breaker = {
  /** @throws RemoteFailure "circuit-open" while no row may be tried. */
  admit(): Permit;
  state(): BreakerState;
  /** Time until a row may be tried again; 0 unless open. */
  pauseMs(): number;
};

/**
 * A circuit breaker. It is closed until `failures` consecutive rows have failed, then open for `openMs`, then
 * half-open: one row is tried, which closes it or opens it again.
 *
 * @param onChange called with every new state.
 */
export function createBreaker(
  options: { failures: number; openMs: number },
  now: () => number,
  onChange: (state: BreakerState) => void,
): Breaker {
  let failures = 0;
  let openUntil: number | null = null;
  let probing = false;
  let reported: BreakerState = "closed";

  const state = (): BreakerState => (openUntil === null ? "closed" : now() >= openUntil ? "half-open" : "open");
  const report = () => {
    if (reported === state()) return;
    reported = state();
    onChange(reported);
  };
  const pauseMs = () => (openUntil === null ? 0 : Math.max(0, openUntil - now()));

  return {
    state,
    pauseMs,
    admit() {
      report();
      if (state() === "open")
        throw new RemoteFailure(
          "circuit-open",
          `the remote model has failed ${failures} times in a row, and nobody is asked until the pause is over`,
          pauseMs(),
        );
      if (state() === "half-open") {
        if (probing)
          throw new RemoteFailure("circuit-open", "the remote model is being tried again by another request", 1000);
        probing = true;
      }
      const probe = openUntil !== null;
      let ended = false;
      const end = (then: () => void) => {
        if (ended) return;
        ended = true;
        if (probe) probing = false;
        then();
        report();
      };
      return {
        succeeded: () =>
          end(() => {
            // A row that was admitted before the breaker opened does not close it again.
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
