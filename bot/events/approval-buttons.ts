import { decideCards, renderButtons, setButtons } from "../approvals/render-buttons.ts";
import { waitingLines, type WaitingRun } from "../approvals/waiting-runs.ts";
import type { BotContext } from "../context/context.ts";
import { toContent } from "../context/reply.ts";
import { safe, withSign } from "../context/text.ts";
import type { Finder, FoundCard } from "../github/cards.ts";
import { modelOf } from "../github/environments.ts";
import type { Pending, Run } from "../github/github.ts";
import { cardEntryKey, type CardEntry } from "../store/cards.ts";
import { minuteMs } from "../telegram/clock.ts";
import { linkHtml } from "../telegram/format.ts";

// Asks, under the candidate's cards, for the approvals that a run waits for. The cards belong to actions/notify. Each
// edit by notify removes the bot's buttons; notify's marker on GitHub says when that happened.

/** How long a card is followed after its run has ended, because notify's last edit may come after the end. */
const followMs = 2 * minuteMs;
/** At every tenth poll the buttons are set regardless of notify's marker, which may not have been written. */
const pollsBetween = 10;

/**
 * The commit that a run deploys. A run started by the bot is at the head of the workflow's branch, so the bot's request
 * says which commit it deploys.
 */
function candidateSha({ seen, actions }: BotContext["store"], run: Run): string {
  const id = seen.state("action-run", run.id) ?? /\bsl-[0-9a-f]{16}\b/.exec(run.title)?.[0] ?? null;
  return (id === null ? null : actions.find(id)?.sha) || run.sha;
}

/** An approval that a run waits for, and the cards under which it is asked for. */
type Question = { pending: Pending; cards: FoundCard[] };

/**
 * The approvals that one run waits for, with their candidates' cards. A card whose message was deleted does not count.
 */
async function questionsOf(
  { bot, store }: Pick<BotContext, "bot" | "store">,
  { run, pending }: WaitingRun,
  finder: Finder,
): Promise<Question[]> {
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
 * Asks for the approvals of a waiting run: by buttons under its cards, and by a message in chats that subscribed but
 * have no card. Renews buttons that expired or whose action failed. Sends no messages for runs that were already
 * waiting at the bot's very first poll.
 */
export async function askForApproval(
  context: BotContext,
  waiting: WaitingRun,
  learning: boolean,
  finder: Finder,
): Promise<void> {
  const { store, now, bot } = context;
  const { run } = waiting;
  const asked = await questionsOf(context, waiting, finder);
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

/**
 * Closes the messages that asked about a run: they show who decided and lose their buttons.
 *
 * @returns what to do in the transaction that stores the run's new state
 */
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
              `${withSign(run.conclusion ?? run.status)} ${linkHtml(run.title, run.url)} waits no more`,
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

/** Puts a question under one card, or renews it. */
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
    // The run still waits although somebody decided. GitHub's list may be older than the review, so wait a while first.
    if (now() - entry.changedAt > followMs && entry.brief !== notInTime)
      setButtons(context, entry, {
        brief: null,
        state: "asking",
        buttons,
        expiresAt: Math.max(ends, now() + minuteMs),
      });
  } else if (ends <= now())
    setButtons(context, entry, { brief: notInTime, state: "decided", buttons: [], expiresAt: null });
  else if (entry.state === "again" || ended)
    setButtons(context, entry, {
      brief: entry.state === "again" ? entry.brief : "⚪ nobody confirmed in time",
      state: "asking",
      buttons,
      expiresAt: ends,
    });
}

const notInTime = "⌛ not decided in time: /approve";

/**
 * Keeps the buttons under the cards up to date: shows who decided once a question is answered, moves the buttons to a
 * card that was sent again, and restores buttons that an edit by notify removed.
 */
export async function followCards(
  context: BotContext,
  runs: readonly Run[],
  waiting: readonly WaitingRun[],
  finder: Finder,
  poll: number,
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
        now() - Math.max(current.changedAt, run.updatedAt) > followMs
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
      if (moved || (current.state !== "decided" && poll % pollsBetween === 0))
        renderButtons(context, current.chat, found?.card.message ?? current.messageId);
    });
  }
}

/** Who decided, according to GitHub, whether through the bot or on GitHub itself. */
async function decision({ github }: BotContext, { run: id, environment }: CardEntry, run: Run): Promise<string> {
  const review = (await github.reviews(id)).findLast((one) => one.environments.includes(environment));
  if (review !== undefined)
    return `${review.state === "approved" ? "✅" : "❌"} ${environment} ${review.state} by ${nameIn(review)}`;
  return run.status === "completed"
    ? `⚪ ${environment}: the run ended, ${run.conclusion ?? "without a result"}`
    : `▶️ ${environment}: goes on without a review`;
}

/** The person who reviewed. If the bot reviewed under its own account, its comment names the person. */
function nameIn({ user, comment }: { user: string; comment: string }): string {
  return /^([\w-]{1,39})(?:, approved by [\w, -]+)?, through Telegram, sl-/.exec(comment)?.[1] ?? user;
}
