import type { ServedModel } from "./served-model.ts";

/** Somebody who asked so short ago is likely to ask again. */
const LIVE_MS = 2000;
/** How long rows of the background may occupy the main thread or a worker at a time: while somebody asks, or nobody. */
const SLICE_MS = { main: { live: 2, quiet: 8 }, elsewhere: { live: 20, quiet: 80 } };
const MAX_SLICE_ROWS = 512;
const POLL_MS = 2;
const MAX_GROWTH = 2;

export type Background = {
  /**
   * Runs a slice of background work when nobody's request waits or runs, within the share of the time that it may take.
   *
   * @param slice does at most so many rows, and says how many it did
   */
  run(model: Pick<ServedModel, "digest" | "card">, slice: (rows: number) => Promise<number>): Promise<void>;
};

/**
 * Lets background rows use models without delaying those who wait. A run cannot be interrupted, so a slice is short.
 * While somebody asks, a model's slices take at most `share` of the time: the share of requests that meet one is no
 * larger than that, and none of them waits longer than one slice. One slice of a model follows another.
 */
export function createBackground(
  share: number,
  loads: () => readonly ReturnType<ServedModel["load"]>[],
  deps: { now: () => number; sleep: (ms: number) => Promise<void> },
): Background {
  const { now, sleep } = deps;
  /** By a model's digest: how many rows its next slice has, until when it rests, and its last slice. */
  const paces = new Map<string, { rows: number; restUntil: number; last: Promise<unknown> }>();
  const paceOf = (digest: string) => {
    const pace = paces.get(digest) ?? { rows: 1, restUntil: -Infinity, last: Promise.resolve() };
    paces.set(digest, pace);
    return pace;
  };

  const isLive = () => now() - Math.max(-Infinity, ...loads().map(({ liveAt = -Infinity }) => liveAt)) < LIVE_MS;
  const isBusy = () => loads().some(({ queuedRows, runningGroups }) => queuedRows + runningGroups > 0);

  const engines = new WeakMap<object, boolean>();
  const runsOnMain = (model: Pick<ServedModel, "card">): boolean => {
    let onMain = engines.get(model);
    if (onMain === undefined)
      engines.set(model, (onMain = (model.card() as { engine?: { kind?: string } }).engine?.kind === "main"));
    return onMain;
  };

  async function untilFree(restUntil: number): Promise<void> {
    while (now() < restUntil && isLive()) await sleep(Math.min(LIVE_MS / 10, Math.max(1, restUntil - now())));
    // Even where somebody always asks, the background gets its share in the end.
    const patientUntil = now() + LIVE_MS / 4;
    while (isBusy() && now() < patientUntil) await sleep(POLL_MS);
  }

  return {
    run(model, slice) {
      const pace = paceOf(model.digest);
      const mine = pace.last.then(async () => {
        await untilFree(pace.restUntil);
        const live = isLive();
        const onMain = runsOnMain(model);
        const targetMs = SLICE_MS[onMain ? "main" : "elsewhere"][live ? "live" : "quiet"];
        const asked = Math.min(MAX_SLICE_ROWS, pace.rows);
        const beganMs = now();
        const rows = await slice(asked);
        const tookMs = Math.max(0.01, now() - beganMs);
        const perRowMs = tookMs / Math.max(1, rows);
        pace.rows = Math.max(1, Math.min(asked * MAX_GROWTH, Math.floor(targetMs / perRowMs)));
        pace.restUntil = now() + (live ? tookMs * (1 / share - 1) : 0);
        // Requests that arrived meanwhile are read before the next slice begins.
        await sleep(0);
      });
      pace.last = mine.catch(() => {});
      return mine;
    },
  };
}
