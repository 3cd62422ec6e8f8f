import { errorLine, type Log } from "../context/log.ts";
import { Lanes } from "../context/lanes.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../telegram/clock.ts";
import type { CommandLimit } from "./command-limit.ts";
import { isCallbackLane, type RawUpdate } from "../telegram/update.ts";

/** Handles an update and returns a function that stores the result. The worker calls that function in a transaction. */
export type UpdateHandler = (update: RawUpdate) => Promise<() => void>;

/** An update is dropped after this many failures, so that it does not block its chat for ever. */
const maxAttempts = 10;

export type InboxWorkerDeps = {
  store: Store;
  handle: UpdateHandler;
  log: Log;
  clock: Clock;
  limit: CommandLimit;
  signal: AbortSignal;
  /** Called after each handled update. */
  onHandled: () => void;
};

/**
 * Handles the stored updates. The commands of one person in one chat are handled one at a time, in the order in which
 * they arrived, and so are the presses of one person in one chat; nothing else waits for them. One transaction stores a
 * handler's result and marks its update as done, so a kill cannot separate the two.
 */
export class InboxWorker {
  private readonly lanes: Lanes;
  private readonly deps: InboxWorkerDeps;
  private stopped = false;

  constructor(deps: InboxWorkerDeps) {
    this.deps = deps;
    this.lanes = new Lanes({
      waiting: () => deps.store.inbox.lanesToServe(),
      serve: (lane) => this.serve(lane),
      isStopped: () => this.stopped,
    });
  }

  /** Starts on the waiting updates; returns at once. */
  kick(): void {
    this.lanes.kick();
  }

  /** Starts nothing new; resolves when the updates being handled are done. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.lanes.settled();
  }

  private async serve(lane: string): Promise<void> {
    const { store, handle, log, onHandled, clock, limit, signal } = this.deps;
    for (let one = store.inbox.nextFor(lane); one !== null && !this.stopped; one = store.inbox.nextFor(lane)) {
      const { updateId, attempts, body, chat } = one;
      const waitMs = chat < 0 && !isCallbackLane(lane) ? limit.waitMs(lane, clock.now()) : 0;
      if (waitMs > 0) {
        await clock.sleep(waitMs, signal).catch(() => undefined);
        continue;
      }
      let commit = () => {};
      store.inbox.begun(updateId);
      try {
        if (attempts < maxAttempts) commit = await handle(JSON.parse(body) as RawUpdate);
        else log.warn("update-given-up", { updateId });
      } catch (error) {
        log.warn("handler-failed", { updateId, attempts: attempts + 1, error: errorLine(error) });
        continue;
      }
      store.transaction(() => {
        commit();
        store.inbox.done(updateId);
      });
      onHandled();
    }
  }
}
