import type { Messages, StoredMessage } from "../store/messages.ts";
import type { TelegramClient } from "../telegram/client.ts";
import { TelegramFailure } from "../telegram/failure.ts";
import { plainText } from "../telegram/format.ts";
import type { Content } from "../telegram/send-or-edit.ts";

/** The search ends after this many ids that nobody is known to have. */
const maxProbes = 60;

type Found = { from?: { id: number; is_bot: boolean }; text?: string; caption?: string; rich_message?: unknown };

/**
 * Finds out whether a message was sent although no answer came. A bot cannot read a chat, but Telegram returns the
 * message that a reply refers to. So the bot first sends a silent message to learn which number is the newest, and then
 * replies silently to each number before it that is not known: the reply fails if there is no such message in this chat,
 * and otherwise returns it. What the bot sends for the search is deleted at once.
 *
 * @returns the id of the message; null if it was not sent
 */
export async function findSent(
  client: TelegramClient,
  messages: Messages,
  wanted: StoredMessage,
  signal: AbortSignal,
): Promise<number | null> {
  const probe = async (id: number | null) => {
    const sent = await client
      .call(
        "sendMessage",
        {
          chat_id: wanted.chat,
          text: "…",
          disable_notification: true,
          ...(id === null ? {} : { reply_parameters: { message_id: id } }),
          ...(wanted.topic === null ? {} : { message_thread_id: wanted.topic }),
        },
        { signal, urgent: wanted.urgent },
      )
      .catch((error: unknown) => {
        if (error instanceof TelegramFailure && (error.kind === "message-gone" || error.kind === "topic-gone"))
          return null;
        throw error;
      });
    if (sent === null) return null;
    messages.saw(wanted.chat, sent.message_id);
    await client
      .call("deleteMessage", { chat_id: wanted.chat, message_id: sent.message_id }, { signal, urgent: wanted.urgent })
      .catch(() => undefined);
    return sent;
  };
  const newest = (await probe(null))?.message_id ?? 0;
  for (let id = wanted.afterId + 1, probes = 0; id < newest && probes < maxProbes; id += 1) {
    if (messages.isKnown(wanted.chat, id)) continue;
    probes += 1;
    const found = (await probe(id))?.reply_to_message as Found | undefined;
    if (found?.from?.is_bot === true && isSame(wanted.sent ?? wanted.content, found)) return id;
  }
  return null;
}

const letters = (text: string) => text.replace(/\s+/g, "").slice(0, 400);

function isSame({ html, plain, rich, picture }: Content, { text: said, caption, rich_message }: Found): boolean {
  if (rich_message !== undefined) return rich !== undefined;
  const text = said ?? (picture === undefined ? undefined : caption);
  if (text === undefined) return false;
  return letters(text) === letters(plainText(html)) || letters(text) === letters(plain);
}
