import { lookAt } from "../../watch/watch.ts";
import type { WatchedModel } from "../../watch/schema/verdict.ts";
import { emptyState } from "../../watch/live/state.ts";
import { watchPolicy } from "../../models/core/manifest/watch.ts";
import type { BotContext } from "../context/context.ts";
import { errorLine } from "../context/log.ts";
import type { ReportedState, WatchEntry } from "../store/watches.ts";
import { dayMs } from "../telegram/clock.ts";
import { watchedModels } from "../watch/reply.ts";
import { notifySubscribers } from "./notify-subscribers.ts";
import { alertReply, type Change } from "../watch/alert.ts";

const yearSeconds = (365 * dayMs) / 1000;

/**
 * Looks at every live Space whose look is due, keeps what it counted and tells of changes. What fails for one must not
 * keep the others from being looked at. A look, its state and its messages are stored in one transaction.
 */
export async function lookAtSpaces(context: BotContext, signal?: AbortSignal): Promise<void> {
  const { bot, store, now, log } = context;
  const { watch } = bot;
  if (watch === null) return;
  const due = watchedModels(bot).filter(
    ({ id }) => (store.watches.find(id)?.lookedAt ?? 0) + watch.intervalSeconds * 1000 <= now(),
  );
  await Promise.all(
    due.map(async ({ id, live }) => {
      try {
        await lookAtSpace(context, watch, id, live, signal);
      } catch (error) {
        if (signal?.aborted !== true) log.warn("not-watched", { model: id, error: errorLine(error) });
      }
    }),
  );
}

async function lookAtSpace(
  context: BotContext,
  { intervalSeconds, settings, unreachableLooks }: NonNullable<BotContext["bot"]["watch"]>,
  id: string,
  live: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { store, now, spaces } = context;
  const policy = watchPolicy(settings);
  // The error of a year is shared by all looks, and there are as many as the interval makes.
  policy.looksPerYear = Math.max(policy.looksPerYear, Math.ceil(yearSeconds / intervalSeconds));
  const { model, state } = await lookAt(
    { model: id, origins: [live], gates: null, policy },
    store.watches.state(id) ?? emptyState(),
    {
      fetch: spaces.fetch,
      now: () => new Date(now()),
      ...(spaces.headersOf === undefined ? {} : { headersOf: spaces.headersOf }),
      ...(signal === undefined ? {} : { signal }),
    },
  );
  const at = now();
  const broken = isBroken(model);
  store.transaction(() => {
    // Read here: somebody may have snoozed or acknowledged while the Space was asked.
    const before = store.watches.find(id);
    const seen = entryOf(before, id, model, at);
    const next = changeOf(before, seen, broken, unreachableLooks);
    // What is hushed is told when the snooze is over, if it still holds.
    const hushed = seen.snoozedUntil > at && !broken;
    store.watches.put(next === null || hushed ? seen : { ...seen, ...next.entry }, state);
    if (model.window !== null) store.watches.addPoint(id, { at, ...figuresOf(model) });
    if (next === null || hushed || next.change === null) return;
    notifySubscribers(context, {
      key: `watch:${id}:${at}`,
      kind: "watch",
      models: [id],
      reply: alertReply(context, id, live, model, next.change, at),
      silent: false,
      // No mute hides that users are answered worse than the gate allowed.
      muteable: !(next.change.to === "FAIL" && broken),
    });
  });
}

/** Whether true labels say that the live model is worse than it may be. */
const isBroken = ({ verdict, checks }: WatchedModel): boolean =>
  verdict === "FAIL" && checks.some((one) => one.group === "performance" && one.verdict === "FAIL" && !one.advisory);

function entryOf(before: WatchEntry | null, id: string, model: WatchedModel, now: number): WatchEntry {
  const answered = model.verdict !== "ERROR";
  return {
    reported: null,
    reportedAt: 0,
    broken: false,
    reportedBefore: null,
    acknowledgedBy: null,
    snoozedUntil: 0,
    ...before,
    model: id,
    version: answered || before === null ? model.model.version : before.version,
    sha256: answered || before === null ? model.model.sha256 : before.sha256,
    verdict: model.verdict,
    reason: model.reason,
    window: answered || before === null ? model.window : before.window,
    labelled: answered ? Math.max(0, ...model.labels.map(({ labelled }) => labelled)) : (before?.labelled ?? 0),
    lookedAt: now,
    failures: answered ? 0 : (before?.failures ?? 0) + 1,
  };
}

type ReportedFields = Pick<WatchEntry, "reported" | "reportedAt" | "broken" | "reportedBefore" | "acknowledgedBy">;

/**
 * What changed since people were last told. Too little data to decide is no change: what was told stands. A first PASS is
 * only remembered (`change` is null).
 */
function changeOf(
  before: WatchEntry | null,
  seen: WatchEntry,
  broken: boolean,
  unreachableLooks: number,
): { entry: ReportedFields; change: Change | null } | null {
  const reported = before?.reported ?? null;
  const to = (next: ReportedState | null, change: Change | null, reportedBefore: ReportedState | null = null) => ({
    entry: {
      reported: next,
      reportedAt: seen.lookedAt,
      broken: next === "FAIL" && broken,
      reportedBefore,
      acknowledgedBy: null,
    },
    change,
  });
  if (seen.failures > 0)
    return reported === "UNREACHABLE" || seen.failures < unreachableLooks
      ? null
      : to("UNREACHABLE", { from: reported, to: "UNREACHABLE" }, reported);
  const known = reported === "UNREACHABLE" ? (before?.reportedBefore ?? null) : reported;
  const verdict = seen.verdict === "PASS" || seen.verdict === "FAIL" ? seen.verdict : null;
  const replaced = before !== null && before.sha256 !== "" && before.sha256 !== seen.sha256;
  if (verdict === null) {
    if (reported === "UNREACHABLE") return to(replaced ? null : known, { from: reported, to: "ANSWERS" });
    return replaced && reported === "FAIL" ? to(null, { from: reported, to: "REPLACED" }) : null;
  }
  // That labels show it too is worth another alert: it is one that no mute hides.
  const isWorse = verdict === "FAIL" && broken && before?.broken !== true;
  if (reported === verdict && !isWorse) return null;
  return to(verdict, reported === null && verdict === "PASS" ? null : { from: reported, to: verdict });
}

/** The largest PSI of an answer, and the share of wrong answers or the mean error by labels. */
function figuresOf({ checks }: WatchedModel): { drift: number | null; error: number | null } {
  const drifts = checks.flatMap(({ group, observed }) => (group === "answers" && observed !== null ? [observed] : []));
  const figure = checks.find(({ group, observed }) => group === "performance" && observed !== null);
  return {
    drift: drifts.length === 0 ? null : Math.max(...drifts),
    error: figure === undefined ? null : figure.metric === "accuracy" ? 1 - figure.observed! : figure.observed,
  };
}
