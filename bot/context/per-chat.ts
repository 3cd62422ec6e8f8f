/** Where the work of each chat comes from, and how it is done. */
export type ChatWork = {
  /** Chats with work that waits. */
  waiting: () => number[];
  /** Does a chat's work until there is none. */
  serve: (chat: number) => Promise<void>;
  isStopped: () => boolean;
};

/** Serves each chat by itself: chats beside each other, and none twice at the same time. */
export class PerChat {
  private readonly busy = new Map<number, Promise<void>>();
  private readonly work: ChatWork;

  constructor(work: ChatWork) {
    this.work = work;
  }

  /** Begins with whatever waits; returns at once. */
  kick(): void {
    const { waiting, serve, isStopped } = this.work;
    if (isStopped()) return;
    for (const chat of waiting()) {
      if (this.busy.has(chat)) continue;
      const served = serve(chat).finally(() => {
        this.busy.delete(chat);
        // More work may have come between the last check and the end.
        if (!isStopped() && waiting().includes(chat)) this.kick();
      });
      this.busy.set(chat, served);
    }
  }

  /** Resolves when no chat is being served any more. */
  async settled(): Promise<void> {
    while (this.busy.size > 0) await Promise.allSettled(this.busy.values());
  }
}
