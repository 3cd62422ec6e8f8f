import type { InlineKeyboardButton } from "@grammyjs/types";
import type { BotConfiguration } from "../config/config.ts";
import type { DeviceFlow } from "../github/device-flow.ts";
import type { GitHub } from "../github/github.ts";
import type { Verdicts } from "../github/verdicts.ts";
import type { Said } from "../inbox/update.ts";
import type { Log } from "./log.ts";
import type { SpaceDeps } from "../spaces/ask.ts";
import type { Place } from "../store/messages.ts";
import type { Press } from "../store/nonces.ts";
import type { Store } from "../store/store.ts";
import type { Content } from "../telegram/send-or-edit.ts";

/** What commands work with. */
export type BotContext = {
  bot: BotConfiguration;
  store: Store;
  github: GitHub;
  verdicts: Verdicts;
  spaces: SpaceDeps;
  device: DeviceFlow | null;
  username: () => string;
  now: () => number;
  log: Log;
};

export type Button =
  | { text: string; url: string }
  | { text: string; press: Press; user?: number; single?: boolean; style?: "danger" | "success" | "primary" };
/**
 * A message of the bot's before its buttons have ids; `html` is markup, so every text from outside in it is escaped.
 */
export type Reply = {
  html: string;
  buttons?: Button[][];
  /** What stands under a card of notify's, whose text is not the bot's: one line, and how the question stands. */
  card?: { brief: string | null; state: "acting" | "again" | "decided" };
};
/** A reply, or what to do together with it, in one transaction. */
export type Outcome = Reply | (() => Reply);

export type Ask = {
  args: readonly string[];
  /** Everything after the command's name, as it was written. */
  rest: string;
  said: Said;
  place: Place;
  /** The message that the reply becomes. */
  key: string;
  /** Shows this at once; the reply then takes its place. */
  acknowledge: (html: string) => void;
};

export type Command = {
  name: string;
  /** E.g. "/deploy MODEL ENVIRONMENT [VERSION]". */
  usage: string;
  /** One line for the menu. */
  about: string;
  run: (context: BotContext, ask: Ask) => Promise<Outcome> | Outcome;
};

/** A reply as it goes to Telegram: its buttons get ids, all of one family. In the transaction that shows it. */
export function toContent(
  context: Pick<BotContext, "store" | "bot" | "now">,
  { html, buttons = [] }: Reply,
  chat: number,
  family: string,
): Content {
  const rows = toRows(context, buttons, chat, family);
  return { html, plain: plain(html), ...(rows.length === 0 ? {} : { buttons: rows }) };
}

/** Buttons with ids that work once each, in this chat, for as long as bot.yaml says. */
export function toRows(
  { store, bot, now }: Pick<BotContext, "store" | "bot" | "now">,
  buttons: readonly Button[][],
  chat: number,
  family: string,
): InlineKeyboardButton[][] {
  const lives = (press: Press) =>
    (press.kind === "review" ? bot.approvals.waitSeconds : bot.approvals.expireSeconds) * 1000;
  return buttons.map((row) =>
    row.map((one) =>
      "url" in one
        ? { text: one.text, url: one.url }
        : {
            text: one.text,
            ...(one.style === undefined ? {} : { style: one.style }),
            callback_data: `n:${store.nonces.make(one.press, { family, chat, user: one.user ?? null, single: one.single ?? true, expiresAt: now() + lives(one.press) })}`,
          },
    ),
  );
}

/** The words of some HTML. */
export function plain(html: string): string {
  return html
    .replace(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}
