import { errorLine, type Log } from "../context/log.ts";
import { Lanes } from "../context/lanes.ts";
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
 * Urgent ones (alerts and questions) do not wait for others.
 * Each send is recorded before it is made. If its outcome is unknown (after a kill or a lost answer), the message is
 * searched for before it is sent again.
 */
export class Delivery {
  private readonly lanes: Lanes;
  private readonly deps: DeliveryDeps;

  constructor(deps: DeliveryDeps) {
    this.deps = deps;
    this.lanes = new Lanes({
      waiting: () => deps.store.messages.lanesToServe().map(({ chat, urgent }) => `${chat}/${urgent ? 1 : 0}`),
      serve: (lane) => {
        const [chat, urgent] = lane.split("/").map(Number);
        return this.serve(chat as number, urgent === 1).catch((error: unknown) => {
          deps.log.warn("delivery-failed", { chat, error: errorLine(error) });
        });
      },
      isStopped: () => deps.signal.aborted,
    });
  }

  /** Starts on the waiting messages; returns at once. */
  kick(): void {
    this.lanes.kick();
  }

  /** Resolves when nothing is being sent. */
  settled(): Promise<void> {
    return this.lanes.settled();
  }

  private async serve(chat: number, urgent: boolean): Promise<void> {
    const { store, signal } = this.deps;
    const next = () => store.messages.nextFor(chat, urgent);
    for (let one = next(); one !== null && !signal.aborted; one = next()) {
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
    // A photo keeps its picture: with another one, the message is sent anew.
    const isOtherPicture = one.messageId !== null && one.sent !== null && one.sent.picture !== one.content.picture;
    if (isOtherPicture)
      await client
        .call("deleteMessage", { chat_id: one.chat, message_id: one.messageId! }, { signal, urgent: one.urgent })
        .catch(() => undefined);
    const messageId = isOtherPicture ? null : one.messageId;
    if (messageId === null) messages.sending(one.key, messages.lastId(one.chat), one.content);
    const delivered = await sendOrEdit(client, { chat: one.chat, topic: one.topic }, one.content, messageId, {
      silent: one.silent,
      replyTo: one.replyTo,
      urgent: one.urgent,
      signal,
    });
    const chat = typeof delivered.chat === "number" ? delivered.chat : one.chat;
    if (chat !== one.chat) {
      messages.moved(one.chat, chat);
      log.warn("chat-moved", { from: one.chat, to: chat, hint: "put the new number into telegram.chats" });
    }
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
