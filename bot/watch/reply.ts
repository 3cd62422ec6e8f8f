import { personName } from "../context/person-name.ts";
import type { BotContext } from "../context/context.ts";
import { commandButton, type Button, type Reply } from "../context/reply.ts";
import { ago, clockTime, safe, withSign } from "../context/text.ts";
import { alertButtons, trendLine, windowLine } from "./alert.ts";

/** The models that the bot watches: those with a live Space, where bot.yaml asks for it. */
export function watchedModels({ models, watch }: BotContext["bot"]): { id: string; live: string }[] {
  return watch === null ? [] : models.flatMap(({ id, live }) => (live === undefined ? [] : [{ id, live }]));
}

/** What the watch knows of one model: state, window, labels, trend, last look, and who saw the alert. */
export function watchLines(context: BotContext, id: string): string[] {
  const { store, now, bot } = context;
  const entry = store.watches.find(id);
  if (entry === null) return [`<b>${safe(id)}</b>: not looked at yet`];
  const { verdict, version, reason, lookedAt, window, labelled, reported, reportedAt, acknowledgedBy, snoozedUntil } =
    entry;
  const trend = trendLine(context, id);
  return [
    `<b>${safe(id)}</b> ${safe(version, 40)}: ${withSign(verdict)}, looked at ${ago(lookedAt, now())}`,
    `  ${safe(reason, 300)}`,
    ...(window === null ? [] : [`  ${windowLine(window)} · ${labelled} labels`]),
    ...(trend === "" ? [] : [`  ${trend}`]),
    ...(reported === "FAIL" || reported === "UNREACHABLE"
      ? [
          `  alert ${reported} since ${clockTime(reportedAt, bot.timeZone)}, ${acknowledgedBy === null ? "not acknowledged" : `acknowledged by ${personName(context, acknowledgedBy)}`}`,
        ]
      : []),
    ...(snoozedUntil > now() ? [`  💤 snoozed until ${clockTime(snoozedUntil, bot.timeZone)}`] : []),
  ];
}

export function watchReply(context: BotContext, id: string): Reply {
  const entry = context.store.watches.find(id);
  const alert = entry !== null && (entry.reported === "FAIL" || entry.reported === "UNREACHABLE");
  const wake: Button[] =
    entry !== null && entry.snoozedUntil > context.now()
      ? [{ text: "End snooze", callback: { kind: "watch", does: "wake", model: id, at: entry.reportedAt } }]
      : [];
  const rows = [
    alert ? alertButtons(id, entry.reportedAt) : [],
    wake,
    [commandButton(`/watch ${id}`, "Again"), commandButton(`/status ${id}`)],
  ];
  return { html: watchLines(context, id).join("\n"), buttons: rows.filter((row) => row.length > 0) };
}
