import type { Messages, StoredMessage } from "../store/messages.ts";
import type { TelegramClient } from "../telegram/client.ts";
import { TelegramFailure } from "../telegram/failure.ts";
import { plainText } from "../telegram/format.ts";
import type { Content } from "../telegram/send-or-edit.ts";

/** The search ends after `maxMisses` ids in a row without a message, and after a maximum number of ids in all. */
const maxMisses = 5;
const maxProbes = 40;

type Found = { from?: { id: number; is_bot: boolean }; text?: string; rich_message?: unknown };

/**
 * Finds out whether a message was sent although no answer came. A bot cannot read a chat, but Telegram returns the
 * message that a reply refers to. So the bot replies silently to each unknown id: the reply fails if there is no such
 * message, and otherwise returns it. The reply is deleted at once.
 *
 * @returns the id of the message; null if it was not sent
 */
export async function findSent(
  client: TelegramClient,
  messages: Messages,
  wanted: StoredMessage,
  signal: AbortSignal,
): Promise<number | null> {
  for (let id = wanted.afterId + 1, misses = 0, probes = 0; misses < maxMisses && probes < maxProbes; id += 1) {
    if (messages.isKnown(wanted.chat, id)) continue;
    probes += 1;
    const probe = await client
      .call(
        "sendMessage",
        {
          chat_id: wanted.chat,
          text: "…",
          disable_notification: true,
          reply_parameters: { message_id: id },
          ...(wanted.topic === null ? {} : { message_thread_id: wanted.topic }),
        },
        { signal },
      )
      .catch((error: unknown) => {
        if (error instanceof TelegramFailure && (error.kind === "message-gone" || error.kind === "topic-gone"))
          return null;
        throw error;
      });
    misses = probe === null ? misses + 1 : 0;
    if (probe === null) continue;
    messages.saw(wanted.chat, probe.message_id);
    await client
      .call("deleteMessage", { chat_id: wanted.chat, message_id: probe.message_id }, { signal })
      .catch(() => undefined);
    const found = probe.reply_to_message as Found | undefined;
    if (found?.from?.is_bot === true && isSame(wanted.sent ?? wanted.content, found)) return id;
    // The probe itself got the next id, so no later message exists that could be the one.
    if (probe.message_id === id + 1) return null;
  }
  return null;
}

const letters = (text: string) => text.replace(/\s+/g, "").slice(0, 400);

function isSame({ html, plain, rich }: Content, { text, rich_message }: Found): boolean {
  if (rich_message !== undefined) return rich !== undefined;
  if (text === undefined) return false;
  return letters(text) === letters(plainText(html)) || letters(text) === letters(plain);
}
