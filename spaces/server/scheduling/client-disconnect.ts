import type { EventEmitter } from "node:events";

/**
 * Whether a client disconnected before its answer. It does less than an AbortSignal, because one is made per request
 * and hardly ever used.
 */
export class ClientDisconnect {
  aborted = false;
  #listeners: (() => void)[] | null = null;

  /** @param response emits `close` when it ends. If it is not finished then, the client has disconnected. */
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

  /** An AbortSignal, for code that needs one. */
  signal(): AbortSignal {
    const controller = new AbortController();
    if (this.aborted) controller.abort();
    else this.onAborted(() => controller.abort());
    return controller.signal;
  }
}
