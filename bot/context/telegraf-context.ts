import type { Context } from "telegraf";
import type { UserUpdate } from "../telegram/update.ts";
import type { Place } from "../store/messages.ts";
import type { BotContext } from "./context.ts";
import type { Outcome } from "./reply.ts";

/**
 * The context of every middleware and command: Telegraf's, with the bot's services. `ctx.reply` and all of
 * `ctx.telegram` work as everywhere, but are lost or sent twice when the process is killed. `ctx.answer` is stored in
 * the transaction that marks the update as handled.
 */
export type SluiceContext = Context & {
  services: BotContext;
  /** Who wrote or pressed what, and where. */
  act: UserUpdate;
  place: Place;
  /** Key of the message that the answer becomes. */
  key: string;
  /** Answers the update, in the message of `key` or of another one; the last answer counts. */
  answer: (outcome: Outcome, key?: string) => void;
  /** Shows this text at once; the answer replaces it later. */
  acknowledge: (html: string) => void;
  /** Answers a press: a toast, or a message where Telegram does not show it any more. Empty: only ends the spinner. */
  toast: (text: string, alert?: boolean) => void;
  /** Handles a command as if the person had written it here. Its answer goes into the message of this key. */
  runCommand: (text: string, key: string) => Promise<void>;
};
