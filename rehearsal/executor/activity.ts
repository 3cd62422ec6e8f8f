/** Counts work that is in progress and not waiting for a person. */
export class Activity {
  #count = 0;
  #idle: (() => void)[] = [];

  /** @returns `end`, and `rest`, which pauses the count until the function that it returns is called */
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
    // Work that is triggered by the end of other work begins within the same turn of the event loop.
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
