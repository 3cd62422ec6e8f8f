/** Decides how many requests run at once, when to pause, and how many rows the next request has. */
export type Pace = {
  /**
   * Waits for a turn.
   *
   * @throws the signal's reason.
   */
  acquire(): Promise<void>;
  release(): void;
  /** The server is too busy: no request starts for `pauseMs`, and then fewer run at once. */
  busy(pauseMs: number): void;
  /** `rows` rows were answered after `latencyMs`. */
  answered(rows: number, latencyMs: number): void;
  /** `rows` rows were too many for one request. */
  tooMany(rows: number): void;
  rows(): number;
};

const FIRST_ROWS = 16;
/**
 * A request should take between these times: short enough to lose little when it fails, long enough that its overhead
 * is small.
 */
const SHORT_MS = 250;
const LONG_MS = 1500;

/** @param sleep rejects when the signal aborts. */
export function createPace(
  options: { concurrency: number; maxRows: number },
  deps: { nowMs: () => number; sleep: (ms: number) => Promise<void>; signal: AbortSignal },
): Pace {
  let active = 0;
  let allowed = options.concurrency;
  let notBeforeMs = 0;
  let good = 0;
  let rows = Math.min(FIRST_ROWS, options.maxRows);
  let waiting: (() => void)[] = [];
  const wake = () => {
    const all = waiting;
    waiting = [];
    for (const one of all) one();
  };
  deps.signal.addEventListener("abort", wake);
  return {
    async acquire() {
      for (;;) {
        deps.signal.throwIfAborted();
        const pauseMs = notBeforeMs - deps.nowMs();
        if (pauseMs > 0) await deps.sleep(pauseMs);
        else if (active >= allowed)
          await new Promise<void>((resolve) => {
            waiting.push(resolve);
          });
        else break;
      }
      active += 1;
    },
    release() {
      active -= 1;
      wake();
    },
    busy(pauseMs) {
      notBeforeMs = Math.max(notBeforeMs, deps.nowMs() + pauseMs);
      allowed = Math.max(1, Math.floor(allowed / 2));
      good = 0;
    },
    answered(count, latencyMs) {
      good += 1;
      if (good >= allowed * 2 && allowed < options.concurrency) {
        allowed += 1;
        good = 0;
        wake();
      }
      if (latencyMs > LONG_MS && count > 1) rows = Math.max(1, Math.min(rows, Math.floor(count / 2)));
      else if (latencyMs < SHORT_MS && count >= rows) rows = Math.min(options.maxRows, rows * 2);
    },
    tooMany(count) {
      rows = Math.max(1, Math.min(rows, Math.floor(count / 2)));
    },
    rows: () => rows,
  };
}
