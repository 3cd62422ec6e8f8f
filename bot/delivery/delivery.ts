import { errorLine, type Log } from "../context/log.ts";
import { PerChat } from "../context/per-chat.ts";
import type { StoredMessage } from "../store/messages.ts";
import type { Store } from "../store/store.ts";
import type { TelegramClient } from "../telegram/client.ts";
import type { Clock } from "../telegram/clock.ts";
import { TelegramFailure } from "../telegram/failure.ts";
import { sendOrEdit } from "../telegram/send-or-edit.ts";
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
 * Makes Telegram agree with the store: sends and edits messages that are not shown yet, one at a time in each chat.
 * Each send is recorded before it is made. If its outcome is unknown (after a kill or a lost answer), the message is
 * searched for before it is sent again.
 */
export class Delivery {
  private readonly chats: PerChat;
  private readonly deps: DeliveryDeps;

  constructor(deps: DeliveryDeps) {
    this.deps = deps;
    this.chats = new PerChat({
      waiting: () => deps.store.messages.chatsToServe(),
      serve: (chat) =>
        this.serve(chat).catch((error: unknown) => {
          deps.log.warn("delivery-failed", { chat, error: errorLine(error) });
        }),
      isStopped: () => deps.signal.aborted,
    });
  }

  /** Starts on the waiting messages; returns at once. */
  kick(): void {
    this.chats.kick();
  }

  /** Resolves when nothing is being sent. */
  settled(): Promise<void> {
    return this.chats.settled();
  }

  private async serve(chat: number): Promise<void> {
    const { store, signal } = this.deps;
    for (let one = store.messages.nextFor(chat); one !== null && !signal.aborted; one = store.messages.nextFor(chat)) {
      try {
        await this.deliver(one);
      } catch (error) {
        await this.handleFailure(one, error);
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
    const delivered = await sendOrEdit(client, { chat: one.chat, topic: one.topic }, one.content, one.messageId, {
      silent: one.silent,
      signal,
    });
    const chat = typeof delivered.chat === "number" ? delivered.chat : one.chat;
    if (chat !== one.chat) messages.moved(one.chat, chat);
    messages.shown(one.key, one.wanted, delivered.messageId, chat, delivered.topic);
  }

  private async handleFailure(one: StoredMessage, error: unknown): Promise<void> {
    const {
      store: { messages },
      log,
      clock,
      signal,
      firstPauseMs = 1_000,
    } = this.deps;
    if (!(error instanceof TelegramFailure)) throw error;
    if (error.kind === "aborted") return;
    log.warn("message-not-delivered", { key: one.key, kind: error.kind, error: errorLine(error) });
    if (["chat-gone", "content", "method", "chat-migrated", "topic-gone", "message-gone"].includes(error.kind)) {
      messages.dead(one.key, error.kind);
      return;
    }
    // It is unknown whether the message was sent. It stays "sending" and will be searched for.
    if (error.kind === "unsure" && one.messageId === null) messages.tried(one.key);
    else messages.notSent(one.key);
    const pauseMs = Math.max(
      (error.retryAfterSeconds ?? 0) * 1000,
      Math.min(maxPauseMs, firstPauseMs * 2 ** Math.min(one.attempts, 6)),
    );
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
}
