import type { Clock } from "./clock.ts";

/** At most `count` messages in any `perMs` milliseconds. */
export type Pace = { count: number; perMs: number };

/** Telegram asks for about one message a second in a chat and twenty a minute in a group; short bursts are free. */
export const telegramPace = {
  private: { count: 5, perMs: 5_000 },
  group: { count: 20, perMs: 60_000 },
} satisfies Record<string, Pace>;

type Line = { tail: Promise<unknown>; waiting: number; sentAt: number[] };

/**
 * One line per chat: its calls go out one after the other, in the order they were made, and no faster than the pace.
 * Other chats are not held up.
 */
export class ChatQueue {
  private readonly lines = new Map<string, Line>();
  private readonly paces: { private: Pace; group: Pace };
  private readonly clock: Clock;

  constructor(paces: { private: Pace; group: Pace }, clock: Clock) {
    this.paces = paces;
    this.clock = clock;
  }

  /** Runs `task` when everything before it in this chat has ended, however it ended. */
  async run<T>(chat: number | string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const key = String(chat);
    const line = this.lines.get(key) ?? { tail: Promise.resolve(), waiting: 0, sentAt: [] };
    this.lines.set(key, line);
    line.waiting += 1;
    const mine = line.tail.then(async () => {
      signal?.throwIfAborted();
      await this.keepPace(
        line,
        key.startsWith("-") || key.startsWith("@") ? this.paces.group : this.paces.private,
        signal,
      );
      return task();
    });
    line.tail = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      line.waiting -= 1;
      if (line.waiting === 0 && line.sentAt.every((at) => at < this.clock.now() - 120_000)) this.lines.delete(key);
    }
  }

  private async keepPace(line: Line, { count, perMs }: Pace, signal?: AbortSignal): Promise<void> {
    for (;;) {
      const now = this.clock.now();
      line.sentAt = line.sentAt.filter((at) => at > now - perMs);
      const oldest = line.sentAt[line.sentAt.length - count];
      if (oldest === undefined) break;
      await this.clock.sleep(oldest + perMs - now, signal);
    }
    line.sentAt.push(this.clock.now());
  }
}
