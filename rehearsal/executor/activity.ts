/** Counts work that has begun and neither ended nor waits for a person. */
export class Activity {
  #count = 0;
  #idle: (() => void)[] = [];

  /** `rest` lasts until what it returns is called. */
  begin(): { end: () => void; rest: () => () => void } {
    let ended = false;
    this.#count += 1;
    const end = () => {
      if (!ended) {
        ended = true;
        this.#less();
      }
    };
    return {
      end,
      rest: () => {
        this.#less();
        return () => {
          this.#count += 1;
        };
      },
    };
  }

  #less(): void {
    this.#count -= 1;
    // Work that another's end triggers begins within the same turn of the event loop.
    if (this.#count === 0)
      setImmediate(() => {
        if (this.#count === 0) for (const resolve of this.#idle.splice(0)) resolve();
      });
  }

  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.begin().end();
    });
  }
}
