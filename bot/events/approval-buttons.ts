import { decideCards, renderButtons, setButtons } from "../approvals/render-buttons.ts";
import { askAbout, reviewButtons, type Subject, type WaitingRun } from "../approvals/waiting-runs.ts";
import type { BotContext } from "../context/context.ts";
import { errorLine } from "../context/log.ts";
import { toContent } from "../context/reply.ts";
import { ago, safe, withSign } from "../context/text.ts";
import { statusOf } from "../../github/api.ts";
import { digestOf } from "../../github/registry/release.ts";
import type { Finder, FoundCard } from "../github/cards.ts";
import type { Run } from "../github/github.ts";
import { cardEntryKey, type CardEntry } from "../store/cards.ts";
import { minuteMs } from "../telegram/clock.ts";
import { linkHtml } from "../telegram/format.ts";

// Asks, under the candidate's cards, for the approvals that a run waits for. The cards belong to actions/notify. Each
// edit by notify removes the bot's buttons; notify's marker on GitHub says when that happened.

/** How long a card is followed after its run has ended, because notify's last edit may come after the end. */
const followMs = 2 * minuteMs;
/** At every tenth poll the buttons are set regardless of notify's marker, which may not have been written. */
const pollsBetween = 10;

/** Reminders of one run, so that a forgotten run does not ring for ever. */
const maxReminders = 3;

/** An approval that a run waits for, and the cards under which it is asked for. */
type Question = { subject: Subject; cards: FoundCard[] };

/**
 * The approvals that one run waits for, with their candidates' cards. A card whose message was deleted does not count.
 */
async function questionsOf(
  { store }: Pick<BotContext, "store">,
  { subjects }: WaitingRun,
  finder: Finder,
): Promise<Question[]> {
  return Promise.all(
    subjects.map(async (subject) => {
      const { model, sha } = subject;
      const cards = model === null || sha === "" ? [] : await finder.find(sha, model);
      return {
        subject,
        cards: cards.filter(
          ({ place, card }) => store.messages.byKey(`under:${place.chat}:${card.message}`)?.state !== "dead",
        ),
      };
    }),
  );
}

/** Changes whenever the question reads differently or leads elsewhere. */
function fingerprint(subjects: readonly Subject[]): string {
  return digestOf(
    subjects.map(({ pending, sha, version, digest, verdict }) =>
      JSON.stringify([pending.environment, sha, version, digest, verdict]),
    ),
  );
}

/**
 * Asks for the approvals of a waiting run: by buttons under its cards, and by a message in chats that subscribed but
 * have no card. Renews buttons that expired or whose action failed, and asks anew when the evidence has changed. Reminds
 * of a run that nobody has decided. Sends no messages for runs that were already waiting at the bot's very first poll.
 */
export async function askForApproval(
  context: BotContext,
  waiting: WaitingRun,
  learning: boolean,
  finder: Finder,
): Promise<void> {
  const { store, now } = context;
  const { run } = waiting;
  const asked = await questionsOf(context, waiting, finder);
  // A card that was deleted makes the question news in its chat.
  const places = asked.flatMap(({ cards }) => cards.map(({ place }) => String(place.chat)));
  const shown = digestOf([fingerprint(waiting.subjects), ...places.toSorted()]);
  const isOld = store.seen.state("waiting", run.id) === "before";
  const reminder = isOld ? null : dueReminder(context, run);
  // What is live and which pull request it is takes requests, so it is looked up only when something is to be shown.
  const isNews = store.seen.state("question", run.id) !== shown || reminder !== null;
  const whole = !isNews || learning || isOld ? null : await askAbout(context, waiting);
  store.transaction(() => {
    for (const { subject, cards } of asked) for (const found of cards) ask(context, waiting.run, subject, found);
    if (learning) store.seen.set("waiting", run.id, "before", now());
    if (asked.length === 0 || whole === null || store.seen.state("waiting", run.id) === "before") return;
    if (store.seen.state("asked", run.id) === null) store.seen.set("asked", run.id, String(now()), now());
    store.seen.set("waiting", run.id, "asked", now());
    store.seen.set("question", run.id, shown, now());
    if (reminder !== null) store.seen.set("reminded", run.id, String(reminder), now());
    const models = waiting.subjects.map(({ model }) => model);
    for (const place of store.subscriptions.listeners(
      models.includes(null) ? null : (models as string[]),
      "approval",
      now(),
    )) {
      const elsewhere = asked.filter(({ cards }) => !cards.some((card) => card.place.chat === place.chat));
      const key = messageKey(run, place.chat);
      const post = (to: string, lines: readonly string[]) => {
        const { picture, buttons } = whole;
        const html = [...lines, ...whole.lines].join("\n");
        const reply = { html, buttons, ...(picture === undefined ? {} : { picture }) };
        store.nonces.end(to, now());
        store.messages.want(to, place, toContent(context, reply, place.chat, to), now(), { urgent: true });
      };
      if (reminder !== null) post(`${key}:${reminder}`, [reminderLine(context, run, waiting.subjects)]);
      // The message of a request that somebody makes just now shows that request.
      else if (elsewhere.length > 0 && !store.actions.isOpenIn(key)) post(key, []);
    }
  });
}

/** The number of the reminder that is due for a run; null if none is. */
function dueReminder({ store, now, bot }: BotContext, run: Run): number | null {
  const { remindSeconds } = bot.approvals;
  const since = store.seen.state("asked", run.id);
  if (remindSeconds === null || since === null) return null;
  const next = Number(store.seen.state("reminded", run.id) ?? 0) + 1;
  return next <= maxReminders && now() - Number(since) >= next * remindSeconds * 1000 ? next : null;
}

/** "⏰ still waits, 1 h ago: ana, ben", with mentions of the required reviewers whom the bot knows. */
function reminderLine({ store, now, bot }: BotContext, run: Run, subjects: readonly Subject[]): string {
  const reviewers = [...new Set(subjects.flatMap(({ pending }) => pending.reviewers))];
  const names = reviewers.map((login) => {
    const user = bot.telegram.users.find(({ id }) => store.links.login(id)?.toLowerCase() === login.toLowerCase());
    return user === undefined ? safe(login, 40) : `<a href="tg://user?id=${user.id}">${safe(login, 40)}</a>`;
  });
  return `⏰ Nobody has decided since ${ago(run.createdAt, now())}${names.length === 0 ? "" : `: ${names.join(", ")}`}`;
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
    for (const { key, chat, topic } of store.messages.withPrefix(`run:${run.id}:`)) {
      store.nonces.end(key, now());
      const html = [
        `${withSign(run.conclusion ?? run.status)} ${linkHtml(run.title, run.url)} waits no more`,
        ...lines,
      ];
      const content = toContent(context, { html: html.join("\n") }, chat, key);
      store.messages.want(key, { chat, topic }, content, now(), { silent: true });
    }
  };
}

/** Puts a question under one card, or renews it. */
function ask(context: BotContext, run: Run, subject: Subject, { place, pullRequest, card }: FoundCard): void {
  const { store, now, bot } = context;
  const { pending, sha, model } = subject;
  const key = cardEntryKey(run.id, pending.environment, place.chat);
  const known = store.cards.find(key);
  const entry: CardEntry = {
    key,
    run: run.id,
    environment: pending.environment,
    chat: place.chat,
    model: model ?? "",
    sha,
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
  const buttons = reviewButtons(run, subject);
  const question = fingerprint([subject]);
  const isNew = store.seen.state("under", key) !== question;
  store.seen.set("under", key, question, now());
  if (known === null)
    return setButtons(context, entry, { brief: briefOf(subject), state: "asking", buttons, expiresAt: ends });
  // The evidence has changed, for example because the gate has ended: the buttons are bound to the new one.
  if (isNew && entry.state === "asking" && ends > now())
    return setButtons(context, entry, { brief: briefOf(subject), state: "asking", buttons, expiresAt: ends });
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

/** Why there is no Approve, in the words of a button; null where there is one. */
function briefOf({ passed, verdict }: Subject): string | null {
  return passed ? null : `❔ ${verdict}: not approved from here`;
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
  for (const entry of context.store.cards.open())
    await followCard(context, entry, runs, waiting, finder, poll).catch((error: unknown) => {
      context.log.warn("card-not-followed", { run: entry.run, error: errorLine(error) });
    });
}

async function followCard(
  context: BotContext,
  entry: CardEntry,
  runs: readonly Run[],
  waiting: readonly WaitingRun[],
  finder: Finder,
  poll: number,
): Promise<void> {
  const { store, github, now } = context;
  const run = runs.find(({ id }) => id === entry.run) ?? (await runOrNull(context, entry.run));
  if (run === null) {
    store.transaction(() => {
      decideCards(context, entry.run, entry.environment, `⚪ ${entry.environment}: the run was deleted`);
      const current = store.cards.find(entry.key) ?? entry;
      store.cards.put({ ...current, state: "closed", changedAt: now() });
    });
    return;
  }
  const pending =
    waiting.find((one) => one.run.id === entry.run)?.subjects.map((one) => one.pending) ??
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

/** A run; null if it was deleted. */
async function runOrNull({ github }: BotContext, id: number): Promise<Run | null> {
  return github.run(id).catch((error: unknown) => {
    if (statusOf(error) === 404) return null;
    throw error;
  });
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
