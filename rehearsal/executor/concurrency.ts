/** A first-come-first-served semaphore for jobs. A waiting job leaves the queue when its signal aborts. */
export class Slots {
  readonly #waiting: (() => void)[] = [];
  #free: number;
  constructor(count: number) {
    this.#free = count;
  }

  /** @returns a function that gives the slot back; null if the signal aborted first */
  async acquire(signal: AbortSignal): Promise<(() => void) | null> {
    if (signal.aborted) return null;
    if (this.#free > 0) this.#free -= 1;
    else {
      const got = await new Promise<boolean>((resolve) => {
        const take = () => {
          signal.removeEventListener("abort", giveUp);
          resolve(true);
        };
        const giveUp = () => {
          this.#waiting.splice(this.#waiting.indexOf(take), 1);
          resolve(false);
        };
        this.#waiting.push(take);
        signal.addEventListener("abort", giveUp, { once: true });
      });
      if (!got) return null;
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
  }
}

type Holder = { cancel: (why: string) => void };
type Group = { running: Holder | null; pending: (Holder & { start: () => void; drop: () => void }) | null };

/** The `concurrency:` groups of a repository. In each, one runs and one waits; a newcomer replaces the waiting one. */
export class ConcurrencyGroups {
  readonly #groups = new Map<string, Group>();

  /**
   * Waits for a group of the repository `scope`. `cancel` is called on a holder that a newcomer replaces.
   * @returns a function that leaves the group; null if it was replaced or cancelled while waiting
   */
  async enter(
    scope: string,
    name: string,
    options: {
      cancelInProgress: boolean;
      cancel: (why: string) => void;
      signal: AbortSignal;
      waiting: () => () => void;
    },
  ): Promise<(() => void) | null> {
    const key = `${scope} ${name}`.toLowerCase();
    const group = this.#groups.get(key) ?? { running: null, pending: null };
    this.#groups.set(key, group);
    const holder: Holder = { cancel: options.cancel };
    if (group.running !== null) {
      const why = `Canceling since a higher priority waiting request for '${name}' exists`;
      group.pending?.drop();
      const over = options.waiting();
      const got = await new Promise<boolean>((resolve) => {
        const pending = {
          ...holder,
          start: () => {
            group.running = holder;
            settle(true);
          },
          drop: () => {
            options.cancel(why);
            settle(false);
          },
        };
        const settle = (value: boolean) => {
          if (group.pending === pending) group.pending = null;
          options.signal.removeEventListener("abort", aborted);
          resolve(value);
        };
        const aborted = () => {
          settle(false);
        };
        group.pending = pending;
        options.signal.addEventListener("abort", aborted, { once: true });
        if (options.cancelInProgress) group.running?.cancel(why);
      });
      over();
      if (!got) return null;
    }
    group.running = holder;
    return () => {
      if (group.running !== holder) return;
      group.running = null;
      group.pending?.start();
    };
  }
}
