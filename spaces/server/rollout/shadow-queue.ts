/** Shadow rows that wait at most; more are shed. */
const MAX_WAITING = 16;
/** A row that has waited so long for a quiet moment is shed. */
const MAX_WAIT_MS = 2000;
const LOOK_AGAIN_MS = 5;
/** Largest share of the time that shadow rows may run: they use the same processor as live rows. */
const MAX_SHARE = 0.25;
const MAX_REST_MS = 1000;

const pause = (ms: number) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });

/** `waiting` counts the row that is being compared as well. */
export type ShadowTally = { compared: number; shed: number; waiting: number };

/**
 * Runs one shadow row at a time, and only while no live row waits. Under load shadow rows are shed first: what is shed
 * depends on when a row came, never on its answers.
 */
export function createShadowQueue(isBusy: () => boolean, now: () => number) {
  const waiting: { run: () => Promise<void>; at: number }[] = [];
  const tally = { compared: 0, shed: 0 };
  let running = false;
  let atWork = 0;

  const work = async () => {
    running = true;
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (now() - next.at > MAX_WAIT_MS) {
        waiting.shift();
        tally.shed++;
      } else if (isBusy()) {
        await pause(LOOK_AGAIN_MS);
      } else {
        waiting.shift();
        atWork = 1;
        const began = now();
        await next.run();
        atWork = 0;
        tally.compared++;
        const restMs = Math.min(MAX_REST_MS, (now() - began) * (1 / MAX_SHARE - 1));
        if (restMs > 0) await pause(restMs);
      }
    }
    running = false;
  };

  return {
    add(run: () => Promise<void>): void {
      if (waiting.length >= MAX_WAITING) {
        tally.shed++;
        return;
      }
      waiting.push({ run, at: now() });
      // The live answer leaves first.
      if (!running) {
        running = true;
        setImmediate(() => void work());
      }
    },
    clear(): void {
      tally.shed += waiting.length;
      waiting.length = 0;
    },
    tally: (): ShadowTally => ({ ...tally, waiting: waiting.length + atWork }),
  };
}
