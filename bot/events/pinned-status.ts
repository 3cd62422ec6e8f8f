import type { BotContext } from "../context/context.ts";
import { errorLine } from "../context/log.ts";
import { commandButton, toContent } from "../context/reply.ts";
import { clockTime } from "../context/text.ts";
import { statusText } from "../status/status-text.ts";
import type { TelegramClient } from "../telegram/client.ts";
import { minuteMs } from "../telegram/clock.ts";

/** Telegram lets a bot change a group's messages twenty times a minute, which alerts and answers share. */
const everyMs = 5 * minuteMs;

/** The key of a chat's status message. */
export const pinKey = (chat: number): string => `pinned:${chat}`;

/** Keeps the status message of each chat that wants one up to date, and pins it once. */
export async function keepPinned(
  context: BotContext,
  client: Pick<TelegramClient, "call">,
  signal: AbortSignal,
): Promise<void> {
  const { store, bot, now, log } = context;
  for (const { chat, topic, pinned, writtenAt } of store.pins.all()) {
    const shown = store.messages.byKey(pinKey(chat));
    if (shown?.messageId != null && shown.messageId !== pinned) {
      // Recorded first: a chat that lets the bot pin nothing is not asked again and again.
      store.pins.pinned(chat, shown.messageId);
      const parameters = { chat_id: shown.chat, message_id: shown.messageId, disable_notification: true };
      await client.call("pinChatMessage", parameters, { signal }).catch((error: unknown) => {
        log.warn("not-pinned", { chat, error: errorLine(error), hint: "let the bot pin messages, then /pin anew" });
      });
    }
    if (writtenAt + everyMs > now()) continue;
    const ids = bot.models.map(({ id }) => id);
    const html = `${await statusText(context, ids, chat)}\n<i>as of ${clockTime(now(), bot.timeZone)}</i>`;
    store.transaction(() => {
      // Somebody may have ended it meanwhile.
      if (!store.pins.all().some((one) => one.chat === chat)) return;
      store.pins.written(chat, now());
      const reply = { html, buttons: [[commandButton("/status", "Now"), commandButton("/runs")]] };
      const content = toContent(context, reply, chat, pinKey(chat));
      store.messages.want(pinKey(chat), { chat, topic }, content, now(), { silent: true });
    });
  }
}
