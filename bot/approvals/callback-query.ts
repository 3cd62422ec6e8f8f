import { personName } from "../context/person-name.ts";
import type { BotContext } from "../context/context.ts";
import type { SluiceContext } from "../context/telegraf-context.ts";
import type { UserUpdate } from "../telegram/update.ts";
import { isCardKey } from "../store/cards.ts";
import type { Nonce } from "../store/nonces.ts";
import type { Store } from "../store/store.ts";
import { handleCallback } from "./handle-callback.ts";

/** A press of one of the bot's buttons: the id that the button carries says what it does. */
export async function callbackQuery(ctx: SluiceContext & { match?: RegExpExecArray }): Promise<void> {
  const { services, act } = ctx;
  const nonce = services.store.nonces.find(ctx.match?.[1] ?? "");
  const refusal = whyUnusable(services, nonce, act);
  if (nonce === null || refusal !== null) return ctx.toast(refusal ?? "");
  // One card of actions/notify may carry several questions. A button's family says which one it belongs to.
  const key = isCardKey(nonce.family) ? nonce.family : keyUnder(services.store, act, nonce.family);
  if (nonce.callback.kind === "command") {
    ctx.toast("");
    return ctx.runCommand(nonce.callback.text, key);
  }
  const { toast, outcome, alert = false } = await handleCallback(services, act, nonce, key);
  ctx.toast(toast, alert);
  if (outcome !== null) ctx.answer(outcome, key);
}

/** @returns null, or why a button does nothing for this person here and now */
function whyUnusable(context: BotContext, nonce: Nonce | null, { chat, user }: UserUpdate): string | null {
  // A button of another chat does not exist here.
  if (nonce === null || nonce.chat !== context.store.messages.whereIs(chat)) return "This button is not known.";
  if (nonce.user !== null && nonce.user !== user) return `This button is ${personName(context, nonce.user)}'s.`;
  if (nonce.usedAt !== null) return "This button was used already.";
  if (nonce.expiresAt <= context.now()) return "This button is too old: ask again.";
  return null;
}

/**
 * The key of the message whose button was pressed. The bot may not yet know that the message was sent, because
 * Telegram's answer was lost or is still on its way. Then the button's family names the message, and the update
 * contains its id.
 */
function keyUnder({ messages }: Store, { chat, messageId, updateId }: UserUpdate, family: string): string {
  const known = messages.keyOf(chat, messageId);
  if (known !== null) return known;
  const sent = [family, family.replace(/:\d+$/, "")]
    .map((key) => messages.byKey(key))
    .find((one) => one?.chat === chat && one.messageId === null);
  if (sent == null) return `u${updateId}`;
  messages.found(sent.key, messageId);
  return sent.key;
}
