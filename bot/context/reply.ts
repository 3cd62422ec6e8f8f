import type { InlineKeyboardButton } from "@grammyjs/types";
import type { CallbackAction } from "../store/nonces.ts";
import { plainText } from "../telegram/format.ts";
import type { Content } from "../telegram/send-or-edit.ts";
import type { BotContext } from "./context.ts";

// What handlers answer with, and how that becomes a message. A button carries only a one-time id (a nonce); the store
// knows what a tap on it does.

export type Button =
  | { text: string; url: string }
  | {
      text: string;
      callback: CallbackAction;
      /** The only person who may tap it. If not set, every listed person may. */
      user?: number;
      /** Whether it works only once. Default true. */
      single?: boolean;
      style?: "danger" | "success" | "primary";
    };

/** A button that sends a command on behalf of the person who taps it. It can be tapped repeatedly until it expires. */
export function commandButton(text: string, label = text): Button {
  return { text: label, callback: { kind: "command", text }, single: false };
}

/** A message whose buttons have no ids yet. `html` is markup, so any outside text in it must already be escaped. */
export type Reply = {
  html: string;
  buttons?: Button[][];
  /** SVG of a picture above the text. */
  picture?: string;
  /**
   * For a question under a card of actions/notify, whose text the bot cannot change: one line, and the question's
   * state.
   */
  card?: { brief: string | null; state: "acting" | "again" | "decided" };
};

/** A reply, or a function that creates it inside the transaction that stores it. */
export type Outcome = Reply | (() => Reply);

/** The part of the context that gives buttons their ids. */
export type ButtonContext = Pick<BotContext, "store" | "bot" | "now">;

export function resolve(outcome: Outcome): Reply {
  return typeof outcome === "function" ? outcome() : outcome;
}

/**
 * The reply as it is sent to Telegram; its buttons get ids of one family. Call it in the transaction that stores the
 * message.
 */
export function toContent(
  context: ButtonContext,
  { html, buttons = [], picture }: Reply,
  chat: number,
  family: string,
): Content {
  const rows = toRows(context, buttons, chat, family);
  return {
    html,
    plain: plainText(html),
    ...(rows.length === 0 ? {} : { buttons: rows }),
    ...(picture === undefined ? {} : { picture }),
  };
}

/**
 * Gives buttons ids that work only in this chat, once each (unless `single` is false), for as long as bot.yaml says.
 */
export function toRows(
  { store, bot, now }: ButtonContext,
  buttons: readonly Button[][],
  chat: number,
  family: string,
): InlineKeyboardButton[][] {
  const { waitSeconds, expireSeconds, secondPersonSeconds } = bot.approvals;
  // The action itself ends earlier if it must: a button lives as long as the longest question that it may belong to.
  const lifetimeMs = ({ kind }: CallbackAction) =>
    (kind === "review" || kind === "watch"
      ? waitSeconds
      : kind === "approve" || kind === "cancel"
        ? Math.max(expireSeconds, secondPersonSeconds)
        : expireSeconds) * 1000;
  return buttons.map((row) =>
    row.map((one) => {
      if ("url" in one) return { text: one.text, url: one.url };
      const { text, callback, user = null, single = true, style } = one;
      const id = store.nonces.make(callback, { family, chat, user, single, expiresAt: now() + lifetimeMs(callback) });
      return { text, ...(style === undefined ? {} : { style }), callback_data: `n:${id}` };
    }),
  );
}
