import { z } from "zod";

const person = z.looseObject({ id: z.int(), is_bot: z.boolean(), first_name: z.string().catch("?") });
const chat = z.looseObject({ id: z.int(), type: z.string() });
const message = z.looseObject({
  message_id: z.int(),
  chat,
  from: person.optional(),
  text: z.string().optional(),
  message_thread_id: z.int().optional(),
  is_topic_message: z.boolean().optional(),
  /** Set if somebody writes as a channel or as the group itself; then `from` is not the person. */
  sender_chat: z.unknown().optional(),
  migrate_to_chat_id: z.int().optional(),
  migrate_from_chat_id: z.int().optional(),
});
const callback = z.looseObject({
  id: z.string().min(1),
  from: person,
  data: z.string().max(64).optional(),
  message: z
    .looseObject({
      message_id: z.int(),
      chat,
      message_thread_id: z.int().optional(),
      is_topic_message: z.boolean().optional(),
    })
    .optional(),
});

/** The parts of Telegram's Update that the bot reads; everything else is ignored. */
export const updateSchema = z.looseObject({
  update_id: z.int().nonnegative(),
  message: message.optional(),
  callback_query: callback.optional(),
});
export type RawUpdate = z.infer<typeof updateSchema>;

export const allowedUpdates = ["message", "callback_query"] as const;

/** Something that a person did: wrote a text, or tapped one of the bot's buttons. */
export type UserUpdate = {
  updateId: number;
  chat: number;
  topic: number | null;
  privateChat: boolean;
  user: number;
  name: string;
  messageId: number;
  act: { kind: "text"; text: string } | { kind: "callback"; query: string; data: string };
};

/**
 * Reads an update. Null for updates that the bot does not answer: channel posts, other bots, people who write as a
 * chat, messages without text, and taps on buttons whose message Telegram no longer shows.
 */
export function readUpdate({ update_id: updateId, message, callback_query: query }: RawUpdate): UserUpdate | null {
  if (message !== undefined) {
    const { from, text, chat } = message;
    if (from === undefined || from.is_bot || message.sender_chat !== undefined || text === undefined) return null;
    return {
      updateId,
      chat: chat.id,
      topic: message.is_topic_message === true ? (message.message_thread_id ?? null) : null,
      privateChat: chat.type === "private",
      user: from.id,
      name: from.first_name,
      messageId: message.message_id,
      act: { kind: "text", text },
    };
  }
  if (query === undefined || query.message === undefined || query.from.is_bot) return null;
  const { message: under } = query;
  return {
    updateId,
    chat: under.chat.id,
    topic: under.is_topic_message === true ? (under.message_thread_id ?? null) : null,
    privateChat: under.chat.type === "private",
    user: query.from.id,
    name: query.from.first_name,
    messageId: under.message_id,
    act: { kind: "callback", query: query.id, data: query.data ?? "" },
  };
}

/**
 * The update of a person who wrote this command in the place of a press. Telegram marks the command's name, by which
 * Telegraf knows it.
 */
export function asWritten({ update_id, callback_query: query }: RawUpdate, text: string): RawUpdate {
  const length = /^\/\w+/.exec(text)?.[0].length ?? 0;
  return {
    update_id,
    message: { ...query!.message!, from: query!.from, text, entities: [{ type: "bot_command", offset: 0, length }] },
  };
}

/**
 * The lane of an update: a person's commands in a chat, or their presses there. A press that runs a command may take as
 * long as one, and so goes with the commands.
 */
export function laneOf({ chat, user, act }: UserUpdate, runsCommand: boolean): string {
  return act.kind === "text" || runsCommand ? `${chat}/${user}` : `${chat}/${user}${callbackSuffix}`;
}

const callbackSuffix = "/callback";

export function isCallbackLane(lane: string): boolean {
  return lane.endsWith(callbackSuffix);
}
