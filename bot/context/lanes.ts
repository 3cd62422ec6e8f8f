/** Which lanes have work, and how to do it. */
export type LaneWork = {
  /** Lanes that have waiting work. */
  waiting: () => string[];
  /** Does a lane's work until none is left. */
  serve: (lane: string) => Promise<void>;
  isStopped: () => boolean;
};

/** Serves lanes in parallel, but never runs two workers for the same lane at once. */
export class Lanes {
  private readonly busy = new Map<string, Promise<void>>();
  private readonly work: LaneWork;

  constructor(work: LaneWork) {
    this.work = work;
  }

  /** Starts on the waiting work; returns at once. */
  kick(): void {
    const { waiting, serve, isStopped } = this.work;
    if (isStopped()) return;
    for (const lane of waiting()) {
      if (this.busy.has(lane)) continue;
      const served = serve(lane).finally(() => {
        this.busy.delete(lane);
        // More work may have come between the last check and the end.
        if (!isStopped() && waiting().includes(lane)) this.kick();
      });
      this.busy.set(lane, served);
    }
  }

  /** Resolves when no lane is being served. */
  async settled(): Promise<void> {
    while (this.busy.size > 0) await Promise.allSettled(this.busy.values());
  }
}
