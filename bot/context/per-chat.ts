/** Which chats have work, and how to do it. */
export type ChatWork = {
  /** Chats that have waiting work. */
  waiting: () => number[];
  /** Does a chat's work until none is left. */
  serve: (chat: number) => Promise<void>;
  isStopped: () => boolean;
};

/** Serves chats in parallel, but never runs two workers for the same chat at once. */
export class PerChat {
  private readonly busy = new Map<number, Promise<void>>();
  private readonly work: ChatWork;

  constructor(work: ChatWork) {
    this.work = work;
  }

  /** Starts on the waiting work; returns at once. */
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

  /** Resolves when no chat is being served. */
  async settled(): Promise<void> {
    while (this.busy.size > 0) await Promise.allSettled(this.busy.values());
  }
}
