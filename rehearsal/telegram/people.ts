import type { Update } from "@grammyjs/types";
import {
  chatJson,
  findMessage,
  messageJson,
  nextMessageId,
  type Person,
  type StoredMessage,
  type TelegramState,
} from "./state.ts";
import { Refusal } from "./refusal.ts";
import type { Updates } from "./updates.ts";

/**
 * People who write to the bot and press its buttons. Each act becomes an update as Telegram would send it. To repeat,
 * reorder or forge updates, pass them to `deliver`.
 */
export class People {
  private lastUpdateId = 1000;
  private lastQueryId = 0;
  private readonly state: TelegramState;
  private readonly updates: Updates;

  constructor(state: TelegramState, updates: Updates) {
    this.state = state;
    this.updates = updates;
  }

  /** Delivers an update unchanged. It may be repeated, old or forged. */
  deliver(update: Update): Update {
    this.updates.push(update);
    return update;
  }

  nextUpdateId(): number {
    return ++this.lastUpdateId;
  }

  /** Writes a text into a chat (by default the private one). Commands have their entity, as if sent from a phone. */
  says(
    person: Person,
    text: string,
    {
      chat = person.id,
      thread = null,
      replyTo = null,
      deliver = true,
    }: { chat?: number; thread?: number | null; replyTo?: number | null; deliver?: boolean } = {},
  ): Update {
    const stored = this.state.chats.get(chat);
    if (stored === undefined) throw new Error(`no chat ${chat}: add it first`);
    const command = /^\/\w+(@\w+)?/.exec(text);
    const message: StoredMessage = {
      message_id: nextMessageId(this.state, stored),
      chat,
      thread,
      from: person,
      date: Math.floor(this.state.now() / 1000),
      text,
      entities: command === null ? [] : [{ type: "bot_command", offset: 0, length: command[0].length }],
      rich: null,
      photo: null,
      caption: null,
      markup: null,
      replyTo,
      silent: false,
      edits: 0,
      pinned: false,
    };
    this.state.messages.push(message);
    const update = { update_id: this.nextUpdateId(), message: messageJson(this.state, message) } as unknown as Update;
    return deliver ? this.deliver(update) : update;
  }

  /** Presses the button with this label or data under one of the bot's messages; fails if there is none. */
  presses(
    person: Person,
    message: { chat: number; message_id: number },
    button: string,
    { deliver = true }: { deliver?: boolean } = {},
  ): Update {
    const stored = findMessage(this.state, message.chat, message.message_id);
    const buttons = stored?.markup?.inline_keyboard.flat() ?? [];
    const found = buttons.find((one) => one["text"] === button || one["callback_data"] === button);
    if (found?.["callback_data"] === undefined)
      throw new Error(
        `message ${message.message_id} has no button "${button}"; it has: ${buttons.map((one) => String(one["text"])).join(", ")}`,
      );
    return this.forges(person, message, found["callback_data"] as string, { deliver });
  }

  /**
   * Taps with arbitrary data, as a modified client can: for a button that was removed, belongs to somebody else, or
   * never existed.
   */
  forges(
    person: Person,
    message: { chat: number; message_id: number },
    data: string,
    { deliver = true }: { deliver?: boolean } = {},
  ): Update {
    const stored = findMessage(this.state, message.chat, message.message_id);
    const id = String(++this.lastQueryId);
    this.state.callbackQueries.set(id, { answered: false });
    const carried =
      stored === undefined
        ? { message_id: message.message_id, date: 0, chat: { id: message.chat, type: "private", first_name: "x" } }
        : messageJson(this.state, stored);
    const update = {
      update_id: this.nextUpdateId(),
      callback_query: { id, from: person, chat_instance: String(message.chat), data, message: carried },
    } as unknown as Update;
    return deliver ? this.deliver(update) : update;
  }

  /**
   * Turns a group into a supergroup, as Telegram does when somebody changes certain settings: it has another number, the
   * old one refuses every call and names the new one, and both tell of it.
   */
  migrates(from: number, to: number, { deliver = true }: { deliver?: boolean } = {}): void {
    const group = this.state.chats.get(from);
    if (group === undefined) throw new Error(`no chat ${from}: add it first`);
    this.state.chats.set(to, { ...group, id: to, type: "supergroup", lastMessageId: 0, refuses: null });
    group.refuses = new Refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", {
      migrate_to_chat_id: to,
    });
    if (!deliver) return;
    const date = Math.floor(this.state.now() / 1000);
    for (const [chat, fields] of [
      [from, { migrate_to_chat_id: to }],
      [to, { migrate_from_chat_id: from }],
    ] as const)
      this.deliver({
        update_id: this.nextUpdateId(),
        message: { message_id: 1, date, chat: chatJson(this.state, chat), from: this.state.bot, ...fields },
      } as unknown as Update);
  }

  /** Adds a person with a private chat that the bot may write to. */
  person(id: number, first_name: string): Person {
    const person: Person = { id, is_bot: false, first_name, username: first_name.toLowerCase(), language_code: "en" };
    this.state.chats.set(id, {
      id,
      type: "private",
      title: first_name,
      topics: null,
      members: new Map([
        [id, "member"],
        [this.state.bot.id, "member"],
      ]),
      refuses: null,
      lastMessageId: 0,
    });
    return person;
  }
}
