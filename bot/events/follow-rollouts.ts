import type { BotContext } from "../context/context.ts";
import { errorLine } from "../context/log.ts";
import { githubEnvironment } from "../github/environments.ts";
import { rolloutRef, type RolloutNote } from "../../github/registry/rollout.ts";
import { rolloutCard } from "../rollout/card.ts";
import { askRollout } from "../spaces/ask.ts";
import { notifySubscribers } from "./notify-subscribers.ts";

/**
 * Keeps one card per roll-out up to date in every chat that hears of deployments. It is edited in place; where a person
 * is needed, and at the end, a new message makes a sound. Controllers act, and this only reads what they noted.
 */
export async function followRollouts(context: BotContext): Promise<void> {
  const { bot, log } = context;
  if (bot.models.every(({ live }) => live === undefined)) return;
  const notes = await context.github.rolloutNotes();
  await Promise.all(
    bot.models.map(async ({ id, live }) => {
      if (live === undefined) return;
      try {
        const note = notes.get(rolloutRef(githubEnvironment(bot, id, bot.live)));
        if (note !== undefined) await follow(context, id, live, note);
      } catch (error) {
        log.warn("rollout-not-followed", { model: id, error: errorLine(error) });
      }
    }),
  );
}

async function follow(context: BotContext, id: string, live: string, note: RolloutNote): Promise<void> {
  const { store, now, bot } = context;
  const { rollout, ended, waitsFor, history, seen } = note;
  const state = `${history.length} ${seen.action} ${waitsFor ?? "-"} ${ended === null ? "open" : "ended"}`;
  const before = store.seen.state("rollout", rollout);
  if (before === state) return;
  const asked = ended === null ? await askRollout(context.spaces, live, id) : null;
  const status = asked?.ok === true && asked.value.rollout === rollout ? asked.value : null;
  store.transaction(() => {
    store.seen.set("rollout", rollout, state, now());
    // One that had ended before anybody listened is no news.
    if (before === null && ended !== null) return;
    const reply = rolloutCard(id, bot.live, status, note);
    const notice = { kind: "deploy" as const, models: [id], reply, silent: true };
    notifySubscribers(context, { ...notice, key: `rollout:${rollout}` });
    const isOver = ended !== null && before?.endsWith("ended") !== true;
    const isAsked = waitsFor !== null && before?.includes(` ${waitsFor} open`) !== true;
    if (isOver || isAsked)
      notifySubscribers(context, {
        ...notice,
        key: `rollout:${rollout}:${isOver ? "ended" : `waits-${waitsFor}`}`,
        silent: false,
        muteable: !(ended?.verdict === "FAIL"),
      });
  });
}
