import type { BotContext } from "../context/context.ts";
import { toContent, type Reply } from "../context/reply.ts";
import type { EventKind } from "../store/subscriptions.ts";
import { isQuiet } from "./quiet-hours.ts";

/** What happened, to whom it matters, and how loud it is. */
export type Notice = {
  /** Of the message; the chat is added. */
  key: string;
  kind: EventKind;
  /** null: models are not known. */
  models: readonly string[] | null;
  reply: Reply;
  silent: boolean;
  /** Chats that are shown it otherwise. */
  except?: ReadonlySet<number>;
  /** false for what no mute may hide and no quiet hour may silence. Default true. */
  muteable?: boolean;
};

/** Sends a message to all subscribers of this kind of event. Call it in the transaction that stores what happened. */
export function notifySubscribers(
  { store, now, bot }: Pick<BotContext, "store" | "now" | "bot">,
  { key, kind, models, reply, silent, except = new Set(), muteable = true }: Notice,
): void {
  for (const place of store.subscriptions.listeners(models, kind, now(), muteable)) {
    if (except.has(place.chat)) continue;
    const messageKey = `${key}:${place.chat}`;
    const content = toContent({ store, bot, now }, reply, place.chat, `${messageKey}:${now()}`);
    const quiet = muteable && isQuiet(bot, now());
    store.messages.want(messageKey, place, content, now(), { silent: silent || quiet, urgent: true });
  }
}
