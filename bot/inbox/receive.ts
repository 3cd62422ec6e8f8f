import type { BotConfiguration } from "../config/config.ts";
import type { Log } from "../context/log.ts";
import type { Store } from "../store/store.ts";
import { escapeMarkup } from "../telegram/format.ts";
import { isAllowed } from "./access.ts";
import { readUpdate, updateSchema } from "./update.ts";

export type ReceiverDeps = {
  bot: BotConfiguration;
  store: Store;
  log: Log;
  now: () => number;
  /** Called after an update was stored. */
  kick: () => void;
};

/** What was done with an update. */
export type Received = "stored" | "repeated" | "ignored" | "stranger" | "malformed";

/**
 * Creates the function that receives every update from polling or the webhook. It checks the update's shape and sender
 * and stores it. The inbox worker handles it later.
 */
export function updateReceiver({ bot, store, log, now, kick }: ReceiverDeps): (update: unknown) => Received {
  return (raw) => {
    const parsed = updateSchema.safeParse(raw);
    if (!parsed.success) {
      log.warn("update-malformed", { where: parsed.error.issues[0]?.path.join(".") });
      return "malformed";
    }
    const { message } = parsed.data;
    const moved = message?.migrate_to_chat_id;
    if (moved !== undefined && bot.telegram.chats.includes(message?.chat.id ?? 0))
      log.warn("chat-moved", { from: message?.chat.id, to: moved, hint: "put the new id into telegram.chats" });
    const update = readUpdate(parsed.data);
    if (update === null) return "ignored";
    const { user, chat } = update;
    if (!isAllowed(bot.telegram, update)) {
      log.info("stranger", { user, chat });
      const words = bot.telegram.stranger;
      // Once per person, and only in private, because a bot that answers everybody can be abused to send spam.
      if (words !== null && update.privateChat && update.act.kind === "text") {
        const content = { html: escapeMarkup(words), plain: words };
        store.messages.want(`stranger:${user}`, { chat, topic: null }, content, now());
        kick();
      }
      return "stranger";
    }
    const fresh = store.transaction(() => {
      if (update.act.kind === "text") store.messages.heard(chat, update.messageId, now());
      return store.inbox.take(update.updateId, chat, JSON.stringify(update), now());
    });
    if (!fresh) return "repeated";
    kick();
    return "stored";
  };
}
