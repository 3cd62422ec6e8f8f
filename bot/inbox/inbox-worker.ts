import { errorLine, type Log } from "../context/log.ts";
import { PerChat } from "../context/per-chat.ts";
import type { Store } from "../store/store.ts";
import type { UserUpdate } from "./update.ts";

/** Handles an update and returns a function that stores the result. The worker calls that function in a transaction. */
export type UpdateHandler = (update: UserUpdate) => Promise<() => void>;

/** An update is dropped after this many failures, so that it does not block its chat for ever. */
const maxAttempts = 10;

export type InboxWorkerDeps = {
  store: Store;
  handle: UpdateHandler;
  log: Log;
  /** Called after each handled update. */
  onHandled: () => void;
};

/**
 * Handles the stored updates: one at a time in each chat, in the order in which they arrived. One transaction stores a
 * handler's result and marks its update as done, so a kill cannot separate the two.
 */
export class InboxWorker {
  private readonly chats: PerChat;
  private readonly deps: InboxWorkerDeps;
  private stopped = false;

  constructor(deps: InboxWorkerDeps) {
    this.deps = deps;
    this.chats = new PerChat({
      waiting: () => deps.store.inbox.chatsToServe(),
      serve: (chat) => this.serve(chat),
      isStopped: () => this.stopped,
    });
  }

  /** Starts on the waiting updates; returns at once. */
  kick(): void {
    this.chats.kick();
  }

  /** Starts nothing new; resolves when the updates being handled are done. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.chats.settled();
  }

  private async serve(chat: number): Promise<void> {
    const { store, handle, log, onHandled } = this.deps;
    for (let one = store.inbox.nextFor(chat); one !== null && !this.stopped; one = store.inbox.nextFor(chat)) {
      const { updateId, attempts, body } = one;
      let commit = () => {};
      store.inbox.begun(updateId);
      try {
        if (attempts < maxAttempts) commit = await handle(JSON.parse(body) as UserUpdate);
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
