import type { EventEmitter } from "node:events";

/**
 * Whether a client has gone away before its answer. An AbortSignal with less to it: one is made per request, and hardly
 * ever used.
 */
export class ClientDisconnect {
  aborted = false;
  #listeners: (() => void)[] | null = null;

  /** @param response emits `close` at its end; aborted is a client whose answer was not finished by then. */
  static of(response: EventEmitter & { writableFinished: boolean }): ClientDisconnect {
    const disconnect = new ClientDisconnect();
    response.once("close", () => {
      if (!response.writableFinished) disconnect.abort();
    });
    return disconnect;
  }

  abort(): void {
    this.aborted = true;
    for (const listener of this.#listeners ?? []) listener();
  }

  onAborted(listener: () => void): void {
    (this.#listeners ??= []).push(listener);
  }

  /** For what only knows signals. */
  signal(): AbortSignal {
    const controller = new AbortController();
    if (this.aborted) controller.abort();
    else this.onAborted(() => controller.abort());
    return controller.signal;
  }
}
