import { decideCards, putUnder, setButtons } from "../approvals/render-buttons.ts";
import { toContent, type BotContext } from "../context/command.ts";
import { waitingLines, type WaitingRun } from "../approvals/waiting-runs.ts";
import { marked, safe } from "../context/text.ts";
import type { Finder, FoundCard } from "../github/cards.ts";
import { modelOf } from "../github/environments.ts";
import type { Pending, Run } from "../github/github.ts";
import { cardEntryKey, type CardEntry } from "../store/cards.ts";
import { linkHtml } from "../telegram/format.ts";

/** A run that is over is looked after so much longer: the last edit of notify's may come after its end. */
const afterwardsMs = 120_000;
/** Buttons are put back every so many looks, whatever notify's marker says: it may not have been written. */
const looksBetween = 10;

/**
 * The commit that a run deploys: of one that the bot started, what was asked for, for the run itself is the workflow's
 * branch.
 */
function candidateSha({ seen, actions }: BotContext["store"], run: Run): string {
  const id = seen.state("action-run", run.id) ?? /\bsl-[0-9a-f]{16}\b/.exec(run.title)?.[0] ?? null;
  return (id === null ? null : actions.find(id)?.sha) || run.sha;
}

/** Under which cards a run's approvals are asked for. */
type Asking = { pending: Pending; cards: FoundCard[] };

/**
 * The approvals of one waiting run, under the cards of the candidates that they are about; a card whose message is gone
 * does not count.
 */
async function askings(
  { bot, store }: Pick<BotContext, "bot" | "store">,
  { run, pending }: WaitingRun,
  finder: Finder,
): Promise<Asking[]> {
  return Promise.all(
    pending.map(async (one) => {
      const model = modelOf(bot, one.environment);
      const cards = model === null ? [] : await finder.find(candidateSha(store, run), model);
      return {
        pending: one,
        cards: cards.filter(
          ({ place, card }) => store.messages.byKey(`under:${place.chat}:${card.message}`)?.state !== "dead",
        ),
      };
    }),
  );
}

/**
 * Puts the buttons of a waiting run under its cards, renews what has ended or came to nothing, and asks in a message of
 * its own wherever somebody listens and there is no card. What waited before the bot's first look is asked under cards
 * only.
 */
export async function askForApproval(
  context: BotContext,
  waiting: WaitingRun,
  learning: boolean,
  finder: Finder,
): Promise<void> {
  const { store, now, bot } = context;
  const { run } = waiting;
  const asked = await askings(context, waiting, finder);
  store.transaction(() => {
    for (const { pending, cards } of asked) for (const found of cards) ask(context, waiting, pending, found);
    if (learning) store.seen.set("waiting", run.id, "before", now());
    if (asked.length === 0 || store.seen.state("waiting", run.id) === "before") return;
    store.seen.set("waiting", run.id, "asked", now());
    const models = asked.map(({ pending }) => modelOf(bot, pending.environment));
    for (const place of store.subscriptions.listeners(
      models.includes(null) ? null : (models as string[]),
      "approval",
      now(),
    )) {
      const elsewhere = asked
        .filter(({ cards }) => !cards.some((card) => card.place.chat === place.chat))
        .map(({ pending }) => pending);
      const key = messageKey(run, place.chat);
      if (elsewhere.length === 0 || store.messages.byKey(key) !== null) continue;
      const { lines, buttons } = waitingLines({ ...waiting, pending: elsewhere }, now());
      store.messages.want(key, place, toContent(context, { html: lines.join("\n"), buttons }, place.chat, key), now());
    }
  });
}

const messageKey = (run: Run, chat: number) => `run:${run.id}:${chat}`;

/** The question of a message of its own is answered: who decided, and no buttons. */
export async function endQuestion(context: BotContext, run: Run): Promise<() => void> {
  const { store, now, github } = context;
  if (run.status === "waiting" || store.seen.state("waiting", run.id) !== "asked") return () => {};
  const reviews = await github.reviews(run.id);
  const lines = reviews.flatMap((one) =>
    one.environments.map(
      (environment) =>
        `${one.state === "approved" ? "✅" : "❌"} ${safe(environment)} ${safe(one.state)} by ${safe(nameIn(one), 40)}`,
    ),
  );
  return () => {
    store.seen.set("waiting", run.id, "answered", now());
    for (const place of store.subscriptions.listeners(null, "approval", now())) {
      const key = messageKey(run, place.chat);
      if (store.messages.byKey(key) === null) continue;
      store.messages.want(
        key,
        place,
        toContent(
          context,
          {
            html: [
              `${marked(run.conclusion ?? run.status)} ${linkHtml(run.title, run.url)} waits no more`,
              ...lines,
            ].join("\n"),
          },
          place.chat,
          key,
        ),
        now(),
        { silent: true },
      );
    }
  };
}

function ask(
  context: BotContext,
  waiting: WaitingRun,
  pending: Pending,
  { place, pullRequest, card }: FoundCard,
): void {
  const { store, now, bot } = context;
  const { run } = waiting;
  const key = cardEntryKey(run.id, pending.environment, place.chat);
  const known = store.cards.find(key);
  const entry: CardEntry = {
    key,
    run: run.id,
    environment: pending.environment,
    chat: place.chat,
    model: modelOf(bot, pending.environment) ?? "",
    sha: candidateSha(store, run),
    runUrl: run.url,
    pullRequest,
    state: "asking",
    brief: null,
    rows: [],
    askedAt: now(),
    expiresAt: null,
    changedAt: now(),
    ...known,
    messageId: card.message,
    edited: card.edited,
    links: card.links,
  };
  const ends = entry.askedAt + bot.approvals.waitSeconds * 1000;
  const { buttons } = waitingLines({ ...waiting, pending: [pending] }, now());
  if (known === null) return setButtons(context, entry, { brief: null, state: "asking", buttons, expiresAt: ends });
  const ended = entry.expiresAt !== null && entry.expiresAt <= now();
  if (entry.state === "decided" || entry.state === "closed") {
    // Decided, and waiting all the same: the answer of GitHub's that the review was taken may be older than this list.
    if (now() - entry.changedAt > afterwardsMs && entry.brief !== late)
      setButtons(context, entry, { brief: null, state: "asking", buttons, expiresAt: Math.max(ends, now() + 60_000) });
  } else if (ends <= now()) setButtons(context, entry, { brief: late, state: "decided", buttons: [], expiresAt: null });
  else if (entry.state === "again" || ended)
    setButtons(context, entry, {
      brief: entry.state === "again" ? entry.brief : "⚪ nobody confirmed in time",
      state: "asking",
      buttons,
      expiresAt: ends,
    });
}

const late = "⌛ not decided in time: /approve";

/**
 * Keeps what stands under the cards right: says who decided where the question is answered, follows a card that was
 * sent anew, and puts back what an edit of notify's took away.
 */
export async function followCards(
  context: BotContext,
  runs: readonly Run[],
  waiting: readonly WaitingRun[],
  finder: Finder,
  look: number,
): Promise<void> {
  const { store, github, now } = context;
  for (const entry of store.cards.open()) {
    const run = runs.find(({ id }) => id === entry.run) ?? (await github.run(entry.run));
    const pending =
      waiting.find((one) => one.run.id === entry.run)?.pending ??
      (run.status === "waiting" ? await github.pending(entry.run) : []);
    const open = pending.some(({ environment }) => environment === entry.environment);
    const answer = open || entry.state === "decided" ? null : await decision(context, entry, run);
    const found = (await finder.find(entry.sha, entry.model)).find(({ place }) => place.chat === entry.chat);
    store.transaction(() => {
      if (answer !== null) decideCards(context, entry.run, entry.environment, answer);
      const current = store.cards.find(entry.key) ?? entry;
      if (
        current.state === "decided" &&
        run.status === "completed" &&
        now() - Math.max(current.changedAt, run.updatedAt) > afterwardsMs
      )
        return store.cards.put({ ...current, state: "closed", changedAt: now() });
      const moved =
        found !== undefined && (found.card.message !== current.messageId || found.card.edited !== current.edited);
      if (moved)
        store.cards.put({
          ...current,
          messageId: found.card.message,
          edited: found.card.edited,
          links: found.card.links,
        });
      if (moved || (current.state !== "decided" && look % looksBetween === 0))
        putUnder(context, current.chat, found?.card.message ?? current.messageId);
    });
  }
}

/** Who decided, as GitHub tells it, whichever way they did. */
async function decision({ github }: BotContext, { run: id, environment }: CardEntry, run: Run): Promise<string> {
  const review = (await github.reviews(id)).findLast((one) => one.environments.includes(environment));
  if (review !== undefined)
    return `${review.state === "approved" ? "✅" : "❌"} ${environment} ${review.state} by ${nameIn(review)}`;
  return run.status === "completed"
    ? `⚪ ${environment}: the run ended, ${run.conclusion ?? "without a result"}`
    : `▶️ ${environment}: goes on without a review`;
}

/** The person; a review that the bot gave under its own name says in its comment for whom. */
function nameIn({ user, comment }: { user: string; comment: string }): string {
  return /^([\w-]{1,39})(?:, approved by [\w, -]+)?, through Telegram, sl-/.exec(comment)?.[1] ?? user;
}
