import type { BotConfiguration } from "../config/config.ts";
import type { Log } from "../context/log.ts";
import type { Store } from "../store/store.ts";
import { escapeMarkup } from "../telegram/format.ts";
import { isAllowed } from "./access.ts";
import { laneOf, readUpdate, updateSchema, type UserUpdate } from "../telegram/update.ts";

export type ReceiverDeps = {
  bot: BotConfiguration;
  store: Store;
  log: Log;
  now: () => number;
  /** Called after an update was stored. */
  kick: () => void;
  /** Called with the query of each press of a button. */
  onCallback: (query: string) => void;
};

/** What was done with an update. */
export type Received = "stored" | "repeated" | "ignored" | "stranger" | "malformed";

/**
 * Creates the function that receives every update from polling or the webhook. It checks the update's shape and sender
 * and stores it. The inbox worker handles it later.
 */
export function updateReceiver({
  bot,
  store,
  log,
  now,
  kick,
  onCallback,
}: ReceiverDeps): (update: unknown) => Received {
  const runsCommand = ({ act }: UserUpdate) =>
    act.kind === "callback" && store.nonces.find(act.data.replace(/^n:/, ""))?.callback.kind === "command";
  /** A group became a supergroup, which has another number. What is stored about it goes along. */
  const moved = (from: number, to: number) => {
    if (!bot.telegram.chats.includes(from) || store.messages.whereIs(from) === to) return;
    store.messages.moved(from, to);
    store.audit.add(now(), { user: null, login: null }, "chat moved", { from, to });
    log.warn("chat-moved", { from, to, hint: "put the new number into telegram.chats" });
  };
  return (raw) => {
    const parsed = updateSchema.safeParse(raw);
    if (!parsed.success) {
      log.warn("update-malformed", { where: parsed.error.issues[0]?.path.join(".") });
      return "malformed";
    }
    const { message } = parsed.data;
    if (message !== undefined) {
      // Telegram tells it in the old group and in the new one; either may be missed.
      const { chat, migrate_to_chat_id: to, migrate_from_chat_id: from } = message;
      if (to !== undefined) moved(chat.id, to);
      if (from !== undefined) moved(from, chat.id);
    }
    const update = readUpdate(parsed.data);
    if (update === null) return "ignored";
    const { user, chat } = update;
    if (!isAllowed(bot.telegram, update, (one) => store.messages.movedFrom(one))) {
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
      return store.inbox.take(
        update.updateId,
        chat,
        laneOf(update, runsCommand(update)),
        JSON.stringify(parsed.data),
        now(),
      );
    });
    if (!fresh) return "repeated";
    if (update.act.kind === "callback") onCallback(update.act.query);
    kick();
    return "stored";
  };
}
