import { toContent, toRows, type Reply, type BotContext } from "../context/command.ts";
import { isLink } from "../telegram/format.ts";
import { isCardKey, type CardEntry } from "../store/cards.ts";
import type { Place } from "../store/messages.ts";

type Painter = Pick<BotContext, "store" | "bot" | "now">;

/** Longest button text that a phone shows whole. */
const maxBriefLength = 60;

/**
 * Makes the message of a key read as a reply. Of a card that actions/notify keeps, the text stays as it is and only the
 * buttons change. In the transaction of what the reply is about.
 */
export function paint(context: Painter, key: string, place: Place, reply: Reply, family: string): void {
  if (!isCardKey(key))
    return context.store.messages.want(key, place, toContent(context, reply, place.chat, family), context.now());
  const entry = context.store.cards.find(key);
  if (entry === null || entry.state === "closed" || (entry.state === "decided" && reply.card?.state !== "decided"))
    return;
  const { brief = null, state = "acting" } = reply.card ?? {};
  // Buttons of an action end with it; without buttons there is nothing to end.
  setButtons(context, entry, {
    brief,
    state,
    buttons: reply.buttons ?? [],
    expiresAt: reply.buttons === undefined ? null : context.now() + context.bot.approvals.expireSeconds * 1000,
  });
}

type Change = {
  brief: string | null;
  state: CardEntry["state"];
  buttons: NonNullable<Reply["buttons"]>;
  expiresAt: number | null;
};

/** Gives an entry other buttons; the ones before end. */
export function setButtons(context: Painter, entry: CardEntry, { brief, state, buttons, expiresAt }: Change): void {
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
  putUnder(context, entry.chat, entry.messageId);
}

/** Who decided, under every card that asked; the buttons go. */
export function decideCards(context: Painter, run: number, environment: string, brief: string): void {
  for (const entry of context.store.cards.of(run, environment)) {
    if (entry.state !== "decided" && entry.state !== "closed")
      setButtons(context, entry, { brief, state: "decided", buttons: [], expiresAt: null });
  }
}

/**
 * Wants the buttons of one card as they should be: notify's links, then what the bot has to say. Also where they were
 * shown already: Telegram answers that nothing changed, or they had been taken away.
 */
export function putUnder({ store, now }: Painter, chat: number, messageId: number): void {
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
