import type { EventEmitter } from "node:events";

/**
 * Whether a client has gone away before its answer. An AbortSignal with less to it: one is made per request, and hardly
 * ever used.
 */
export class Departure {
  gone = false;
  #listeners: (() => void)[] | null = null;

  /** @param response emits `close` at its end; gone is a client whose answer was not finished by then. */
  static of(response: EventEmitter & { writableFinished: boolean }): Departure {
    const departure = new Departure();
    response.once("close", () => { if (!response.writableFinished) departure.leave(); });
    return departure;
  }

  leave(): void {
    this.gone = true;
    for (const listener of this.#listeners ?? []) listener();
  }

  onGone(listener: () => void): void {
    (this.#listeners ??= []).push(listener);
  }

  /** For what only knows signals. */
  signal(): AbortSignal {
    const controller = new AbortController();
    if (this.gone) controller.abort();
    else this.onGone(() => controller.abort());
    return controller.signal;
  }
}
