import type { MessageEntity } from "@grammyjs/types";
import type { Refusal } from "./refusal.ts";

export type Person = { id: number; is_bot: boolean; first_name: string; username?: string; language_code?: string };
type MemberStatus = "creator" | "administrator" | "member" | "left" | "kicked";

export type StoredChat = {
  id: number;
  type: "private" | "group" | "supergroup" | "channel";
  title: string;
  /** Topics of a forum by message_thread_id; null if the chat is not a forum. */
  topics: Map<number, "open" | "closed"> | null;
  members: Map<number, MemberStatus>;
  /** The error that the bot gets when it writes here, such as 403 "bot was blocked by the user". */
  refuses: Refusal | null;
  lastMessageId: number;
};

export type StoredMessage = {
  message_id: number;
  chat: number;
  thread: number | null;
  from: Person;
  /** Unix time in seconds. */
  date: number;
  text: string | null;
  entities: Pick<MessageEntity, "type" | "offset" | "length">[];
  rich: unknown;
  photo: { filename: string; bytes: Uint8Array } | string | null;
  caption: string | null;
  markup: { inline_keyboard: Record<string, unknown>[][] } | null;
  replyTo: number | null;
  silent: boolean;
  edits: number;
  pinned: boolean;
};

/** One call of the bot and its answer, as transferred. */
export type Call = {
  method: string;
  parameters: Record<string, unknown>;
  status: number;
  answer: unknown;
  /** Whether the call created a message that makes a sound on people's phones. */
  audible: boolean;
  atMs: number;
};

/** A fault that hits `times` calls of `method` ("*" for all methods), before or after the call takes effect. */
export type Fault = {
  method: string;
  times: number;
  does:
    | { kind: "refuse"; refusal: Refusal }
    | { kind: "html"; status: number; body?: string }
    | { kind: "hang" }
    | { kind: "reset" }
    | { kind: "accept-then-reset" };
};

/** At most `count` messages in `perMs` milliseconds. The 429 asks to wait until the window has room again. */
type RateLimit = { count: number; perMs: number };

export type TelegramState = {
  token: string;
  bot: Person;
  /** As @BotFather's /setjoingroups says. */
  joinsGroups: boolean;
  chats: Map<number, StoredChat>;
  messages: StoredMessage[];
  /** The newest number in the one sequence of all private chats and basic groups. */
  lastSharedMessageId: number;
  faults: Fault[];
  /** False for a Bot API that is older than rich messages. */
  rich: boolean;
  limits: { private: RateLimit; group: RateLimit } | null;
  sent: Map<number, number[]>;
  callbackQueries: Map<string, { answered: boolean }>;
  commands: { command: string; description: string }[];
  chatActions: { chat: number; action: string }[];
  now: () => number;
};

/** The number of the next message in a chat. */
export function nextMessageId(state: TelegramState, chat: StoredChat): number {
  const isOwn = chat.type === "supergroup" || chat.type === "channel";
  chat.lastMessageId = 1 + (isOwn ? chat.lastMessageId : state.lastSharedMessageId);
  if (!isOwn) state.lastSharedMessageId = chat.lastMessageId;
  return chat.lastMessageId;
}

export function findMessage(state: TelegramState, chat: number, id: number): StoredMessage | undefined {
  return state.messages.find((one) => one.chat === chat && one.message_id === id);
}

/** A message in the format of Telegram's answers and updates. */
export function messageJson(state: TelegramState, message: StoredMessage): Record<string, unknown> {
  const reply = message.replyTo === null ? undefined : findMessage(state, message.chat, message.replyTo);
  return {
    message_id: message.message_id,
    date: message.date,
    chat: chatJson(state, message.chat),
    from: message.from,
    ...(message.thread === null ? {} : { message_thread_id: message.thread, is_topic_message: true }),
    ...(message.edits === 0 ? {} : { edit_date: message.date }),
    ...(message.text === null
      ? {}
      : { text: message.text, ...(message.entities.length === 0 ? {} : { entities: message.entities }) }),
    ...(message.rich === null ? {} : { rich_message: message.rich }),
    ...(message.photo === null
      ? {}
      : {
          photo: [
            {
              file_id: `photo-${message.message_id}`,
              file_unique_id: `u${message.message_id}`,
              width: 640,
              height: 480,
            },
          ],
        }),
    ...(message.caption === null ? {} : { caption: message.caption }),
    ...(message.markup === null ? {} : { reply_markup: message.markup }),
    ...(reply === undefined ? {} : { reply_to_message: messageJson(state, { ...reply, replyTo: null }) }),
  };
}

export function chatJson(state: TelegramState, id: number): Record<string, unknown> {
  const chat = state.chats.get(id);
  if (chat === undefined) return { id, type: "private", first_name: "nobody" };
  return {
    id,
    type: chat.type,
    ...(chat.type === "private" ? { first_name: chat.title } : { title: chat.title }),
    ...(chat.topics === null ? {} : { is_forum: true }),
  };
}
