import { toContent, toRows, type Button, type ButtonContext, type Reply } from "../context/reply.ts";
import { isCardKey, type CardEntry } from "../store/cards.ts";
import type { Place } from "../store/messages.ts";
import { isLink } from "../telegram/format.ts";

// Shows a reply in the message with a given key. Most messages are the bot's own. A card belongs to actions/notify, so
// there the bot sets only the buttons, and a button's text carries the bot's message.

/** The longest button text that a phone shows whole. */
const maxBriefLength = 60;

/** Makes the message of a key show a reply. Call it in the transaction that stores what the reply is about. */
export function renderReply(context: ButtonContext, key: string, place: Place, reply: Reply, family: string): void {
  if (!isCardKey(key))
    return context.store.messages.want(key, place, toContent(context, reply, place.chat, family), context.now());
  const entry = context.store.cards.find(key);
  if (entry === null || entry.state === "closed" || (entry.state === "decided" && reply.card?.state !== "decided"))
    return;
  const { brief = null, state = "acting" } = reply.card ?? {};
  // When an action ends, its buttons expire. Without buttons nothing has to expire.
  setButtons(context, entry, {
    brief,
    state,
    buttons: reply.buttons ?? [],
    expiresAt: reply.buttons === undefined ? null : context.now() + context.bot.approvals.expireSeconds * 1000,
  });
}

export type ButtonChange = Pick<CardEntry, "brief" | "state" | "expiresAt"> & { buttons: Button[][] };

/** Gives an entry new buttons and disables its earlier ones. */
export function setButtons(
  context: ButtonContext,
  entry: CardEntry,
  { brief, state, buttons, expiresAt }: ButtonChange,
): void {
  const { store, now } = context;
  store.nonces.end(entry.key, now());
  store.cards.put({
    ...entry,
    brief: brief === null ? null : [...brief].slice(0, maxBriefLength).join(""),
    state,
    rows: toRows(context, buttons, entry.chat, entry.key),
    expiresAt,
    changedAt: now(),
  });
  renderButtons(context, entry.chat, entry.messageId);
}

/** Shows who decided under every card that asked, and removes the buttons. */
export function decideCards(context: ButtonContext, run: number, environment: string, brief: string): void {
  for (const entry of context.store.cards.of(run, environment)) {
    if (entry.state !== "decided" && entry.state !== "closed")
      setButtons(context, entry, { brief, state: "decided", buttons: [], expiresAt: null });
  }
}

/**
 * Queues the buttons of one card: notify's links, then the bot's rows. It does so even if they were shown before,
 * because an edit by notify may have removed them. If they are still there, Telegram answers that nothing changed.
 */
export function renderButtons({ store, now }: ButtonContext, chat: number, messageId: number): void {
  const entries = store.cards.under(chat, messageId);
  const [first] = entries;
  if (first === undefined) return;
  const links = first.links.filter(({ url, text }) => isLink(url) && text.trim() !== "");
  const rows = entries.flatMap(({ brief, rows: own, runUrl }) => [
    ...(brief === null ? [] : [[{ text: brief, url: runUrl }]]),
    ...own,
  ]);
  store.messages.want(
    `under:${chat}:${messageId}`,
    { chat, topic: null },
    { onlyButtons: true, html: "", plain: "", buttons: [...(links.length === 0 ? [] : [links]), ...rows] },
    now(),
    { messageId, again: true },
  );
}
