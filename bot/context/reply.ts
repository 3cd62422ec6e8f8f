import type { InlineKeyboardButton } from "@grammyjs/types";
import type { CallbackAction } from "../store/nonces.ts";
import { plainText } from "../telegram/format.ts";
import type { Content } from "../telegram/send-or-edit.ts";
import type { BotContext } from "./context.ts";

// What handlers answer with, and how it becomes a message: buttons carry no data but a one-time id (a nonce), under
// which the store knows what a tap on them does.

export type Button =
  | { text: string; url: string }
  | {
      text: string;
      callback: CallbackAction;
      /** The only person who may tap it; everybody who is listed may where it is not set. */
      user?: number;
      /** Whether one tap spends it. Default true. */
      single?: boolean;
      style?: "danger" | "success" | "primary";
    };

/** A message whose buttons have no ids yet. `html` is markup: every text from outside in it is escaped. */
export type Reply = {
  html: string;
  buttons?: Button[][];
  /** For a question under a card of actions/notify, whose text is not the bot's: one line, and the question's state. */
  card?: { brief: string | null; state: "acting" | "again" | "decided" };
};

/** A reply, or a function that makes it inside the transaction which stores it. */
export type Outcome = Reply | (() => Reply);

/** The part of the context that gives buttons their ids. */
export type ButtonContext = Pick<BotContext, "store" | "bot" | "now">;

export function resolve(outcome: Outcome): Reply {
  return typeof outcome === "function" ? outcome() : outcome;
}

/** A reply as Telegram gets it. Its buttons get ids of one family. Call it in the transaction that stores the message. */
export function toContent(
  context: ButtonContext,
  { html, buttons = [] }: Reply,
  chat: number,
  family: string,
): Content {
  const rows = toRows(context, buttons, chat, family);
  return { html, plain: plainText(html), ...(rows.length === 0 ? {} : { buttons: rows }) };
}

/** Buttons with ids that work in this chat only, once each, for as long as bot.yaml says. */
export function toRows(
  { store, bot, now }: ButtonContext,
  buttons: readonly Button[][],
  chat: number,
  family: string,
): InlineKeyboardButton[][] {
  const lifetimeMs = ({ kind }: CallbackAction) =>
    (kind === "review" ? bot.approvals.waitSeconds : bot.approvals.expireSeconds) * 1000;
  return buttons.map((row) =>
    row.map((one) => {
      if ("url" in one) return { text: one.text, url: one.url };
      const { text, callback, user = null, single = true, style } = one;
      const id = store.nonces.make(callback, { family, chat, user, single, expiresAt: now() + lifetimeMs(callback) });
      return { text, ...(style === undefined ? {} : { style }), callback_data: `n:${id}` };
    }),
  );
}
