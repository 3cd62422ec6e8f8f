import { minuteMs, type Clock } from "./clock.ts";

/** At most `count` messages in any `perMs` milliseconds. */
export type Pace = { count: number; perMs: number };

/** Telegram asks for about one message a second in a chat and twenty a minute in a group; short bursts are free. */
export const telegramPace = {
  private: { count: 5, perMs: 5_000 },
  group: { count: 20, perMs: minuteMs },
} satisfies Record<string, Pace>;

/** One line of waiting calls, and when the chat's calls went out. */
type Queue = { tails: { urgent: Promise<unknown>; other: Promise<unknown> }; waiting: number; sentAt: number[] };

/** The part of the pace that is kept free for urgent calls: a quarter. */
const keptFree = 0.25;

/**
 * Two lines per chat, for urgent calls and for others. The calls of a line go out one after the other, in the order in
 * which they were made, and both lines together no faster than the pace. Chats do not wait for each other.
 */
export class ChatQueue {
  private readonly queues = new Map<string, Queue>();
  private readonly paces: { private: Pace; group: Pace };
  private readonly clock: Clock;

  constructor(paces: { private: Pace; group: Pace }, clock: Clock) {
    this.paces = paces;
    this.clock = clock;
  }

  /** Runs `task` after all earlier tasks of its line have ended, whether they succeeded or failed. */
  async run<T>(
    chat: number | string,
    task: () => Promise<T>,
    { signal, urgent = false }: { signal?: AbortSignal; urgent?: boolean } = {},
  ): Promise<T> {
    const key = String(chat);
    const line = urgent ? "urgent" : "other";
    const idle = Promise.resolve();
    const queue = this.queues.get(key) ?? { tails: { urgent: idle, other: idle }, waiting: 0, sentAt: [] };
    this.queues.set(key, queue);
    queue.waiting += 1;
    const { count, perMs } = key.startsWith("-") || key.startsWith("@") ? this.paces.group : this.paces.private;
    const most = urgent ? count : Math.max(1, count - Math.floor(count * keptFree));
    const mine = queue.tails[line].then(async () => {
      signal?.throwIfAborted();
      await this.keepPace(queue, { count: most, perMs }, signal);
      return task();
    });
    queue.tails[line] = mine.catch(() => undefined);
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
