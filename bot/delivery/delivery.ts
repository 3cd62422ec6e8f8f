import { inWords, type Log } from "../context/log.ts";
import type { StoredMessage } from "../store/messages.ts";
import type { Store } from "../store/store.ts";
import type { TelegramClient } from "../telegram/client.ts";
import type { Clock } from "../telegram/clock.ts";
import { TelegramFailure } from "../telegram/failure.ts";
import { show } from "../telegram/send-or-edit.ts";
import { findSent } from "./find-sent.ts";

export type DeliveryDeps = {
  store: Store;
  client: TelegramClient;
  log: Log;
  clock: Clock;
  signal: AbortSignal;
  firstPauseMs?: number;
};

const maxPauseMs = 60_000;

/**
 * Makes Telegram agree with the store: sends and edits what is not shown yet, one message at a time in each chat. A
 * send is written down before it is made; when its end is not known, after a kill or a lost answer, the message is
 * looked for before it is sent again.
 */
export class Delivery {
  private readonly busy = new Map<number, Promise<void>>();
  private readonly deps: DeliveryDeps;

  constructor(deps: DeliveryDeps) {
    this.deps = deps;
  }

  kick(): void {
    const { store, signal } = this.deps;
    if (signal.aborted) return;
    for (const chat of store.messages.chatsToServe()) {
      if (this.busy.has(chat)) continue;
      this.busy.set(
        chat,
        this.serve(chat)
          .catch((error: unknown) => {
            this.deps.log.warn("delivery-failed", { chat, error: inWords(error) });
          })
          .finally(() => {
            this.busy.delete(chat);
            if (store.messages.nextFor(chat) !== null) this.kick();
          }),
      );
    }
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.busy.size > 0) await Promise.allSettled(this.busy.values());
  }

  private async serve(chat: number): Promise<void> {
    const { store, signal } = this.deps;
    for (let one = store.messages.nextFor(chat); one !== null && !signal.aborted; one = store.messages.nextFor(chat)) {
      try {
        await this.deliver(one);
      } catch (error) {
        await this.failed(one, error);
      }
    }
  }

  private async deliver(one: StoredMessage): Promise<void> {
    const {
      store: { messages },
      client,
      signal,
      log,
    } = this.deps;
    if (one.state === "sending") {
      const found = await findSent(client, messages, one, signal);
      log.info("send-settled", { key: one.key, found: found !== null });
      if (found === null) messages.notSent(one.key);
      else messages.found(one.key, found);
      return;
    }
    if (one.messageId === null) messages.sending(one.key, messages.lastId(one.chat), one.content);
    const shown = await show(client, { chat: one.chat, topic: one.topic }, one.content, one.messageId, {
      silent: one.silent,
      signal,
    });
    const chat = typeof shown.chat === "number" ? shown.chat : one.chat;
    if (chat !== one.chat) messages.moved(one.chat, chat);
    messages.shown(one.key, one.wanted, shown.messageId, chat, shown.topic);
  }

  private async failed(one: StoredMessage, error: unknown): Promise<void> {
    const {
      store: { messages },
      log,
      clock,
      signal,
      firstPauseMs = 1_000,
    } = this.deps;
    if (!(error instanceof TelegramFailure)) throw error;
    if (error.kind === "aborted") return;
    log.warn("message-not-delivered", { key: one.key, kind: error.kind, error: inWords(error) });
    if (["chat-gone", "content", "method", "chat-migrated", "topic-gone", "message-gone"].includes(error.kind)) {
      messages.dead(one.key, error.kind);
      return;
    }
    // Its end is not known: it stays "sending" and is looked for.
    if (error.kind === "unsure" && one.messageId === null) messages.tried(one.key);
    else messages.notSent(one.key);
    const pauseMs = Math.max(
      (error.retryAfterSeconds ?? 0) * 1000,
      Math.min(maxPauseMs, firstPauseMs * 2 ** Math.min(one.attempts, 6)),
    );
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
}
