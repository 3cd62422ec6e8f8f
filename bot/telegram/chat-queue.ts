import { minuteMs, type Clock } from "./clock.ts";

/** At most `count` messages in any `perMs` milliseconds. */
export type Pace = { count: number; perMs: number };

/** Telegram asks for about one message a second in a chat and twenty a minute in a group; short bursts are free. */
export const telegramPace = {
  private: { count: 5, perMs: 5_000 },
  group: { count: 20, perMs: minuteMs },
} satisfies Record<string, Pace>;

type Queue = { tail: Promise<unknown>; waiting: number; sentAt: number[] };

/**
 * One queue per chat. A chat's calls go out one after the other, in the order in which they were made, and no faster
 * than the pace. Chats do not wait for each other.
 */
export class ChatQueue {
  private readonly queues = new Map<string, Queue>();
  private readonly paces: { private: Pace; group: Pace };
  private readonly clock: Clock;

  constructor(paces: { private: Pace; group: Pace }, clock: Clock) {
    this.paces = paces;
    this.clock = clock;
  }

  /** Runs `task` after all earlier tasks of this chat have ended, whether they succeeded or failed. */
  async run<T>(chat: number | string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const key = String(chat);
    const queue = this.queues.get(key) ?? { tail: Promise.resolve(), waiting: 0, sentAt: [] };
    this.queues.set(key, queue);
    queue.waiting += 1;
    const mine = queue.tail.then(async () => {
      signal?.throwIfAborted();
      await this.keepPace(
        queue,
        key.startsWith("-") || key.startsWith("@") ? this.paces.group : this.paces.private,
        signal,
      );
      return task();
    });
    queue.tail = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      queue.waiting -= 1;
      if (queue.waiting === 0 && queue.sentAt.every((at) => at < this.clock.now() - 2 * minuteMs))
        this.queues.delete(key);
    }
  }

  private async keepPace(queue: Queue, { count, perMs }: Pace, signal?: AbortSignal): Promise<void> {
    for (;;) {
      const now = this.clock.now();
      queue.sentAt = queue.sentAt.filter((at) => at > now - perMs);
      const oldest = queue.sentAt[queue.sentAt.length - count];
      if (oldest === undefined) break;
      await this.clock.sleep(oldest + perMs - now, signal);
    }
    queue.sentAt.push(this.clock.now());
  }
}
