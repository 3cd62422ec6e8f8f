import { count } from "../../eval/report/text/format.ts";
import { nameOf } from "../../watch/checks/check.ts";
import type { WatchedModel } from "../../watch/schema/verdict.ts";
import { sparkline } from "../../eval/report/markdown/bars.ts";
import type { BotContext } from "../context/context.ts";
import { commandButton, type Button, type Reply } from "../context/reply.ts";
import { watchPicture } from "../card/picture/watch-picture.ts";
import { safe, withSign } from "../context/text.ts";
import type { ReportedState, WatchEntry } from "../store/watches.ts";
import { dayMs } from "../telegram/clock.ts";
import { linkHtml } from "../telegram/format.ts";

// How the watch speaks in Telegram: the alert, its buttons, and the lines that /watch and the digest share.

const maxChecks = 5;
const trendDays = 14;

/** `ANSWERS`: it answers again, and nothing is decided. `REPLACED`: another version is live, and its watch begins. */
export type Change = { from: ReportedState | null; to: ReportedState | "ANSWERS" | "REPLACED" };

/** The message about a change, with the checks that decided and the buttons. */
export function alertReply(
  { bot }: Pick<BotContext, "bot">,
  id: string,
  live: string,
  watched: WatchedModel,
  { from, to }: Change,
  at: number,
): Reply {
  const { model, verdict, reason, checks, window } = watched;
  const picture = to === "FAIL" || to === "PASS" ? watchPicture(watched) : null;
  const name = `<b>${safe(id)}</b>${to === "UNREACHABLE" ? "" : ` ${safe(model.version, 40)}`} in ${safe(bot.live)}`;
  const after = from === null ? "" : `, after ${from}`;
  const heads: Record<Change["to"], string> = {
    FAIL: `${withSign("FAIL")} watch of ${name}${after}`,
    PASS: `${withSign("PASS")} watch of ${name}${after}`,
    UNREACHABLE: `🔴 ${name} does not answer${after}`,
    ANSWERS: `🟢 ${name} answers again, ${withSign(verdict)}`,
    REPLACED: `⚪ ${name} is new: its watch begins, and the alert of the version before ends`,
  };
  const deciding = checks.filter((one) => !one.advisory && one.verdict === "FAIL");
  const lines =
    to === "FAIL"
      ? [
          ...deciding.slice(0, maxChecks).map((one) => `• ${safe(nameOf(one))}: ${safe(one.reason, 240)}`),
          ...(deciding.length > maxChecks ? [`• and ${deciding.length - maxChecks} more`] : []),
        ]
      : [safe(reason, 300)];
  return {
    html: [heads[to], ...lines, [windowLine(window), linkHtml("Space", live)].filter(Boolean).join(" · ")].join("\n"),
    buttons: [
      ...(to === "FAIL" || to === "UNREACHABLE" ? [alertButtons(id, at)] : []),
      [commandButton(`/watch ${id}`, "State")],
    ],
    ...(picture === null ? {} : { picture }),
  };
}

/** For an alert that stands. `at`: when it was told. */
export function alertButtons(model: string, at: number): Button[] {
  const button = (text: string, does: "acknowledge" | "snooze"): Button => ({
    text,
    callback: { kind: "watch", does, model, at },
  });
  return [button("Acknowledge", "acknowledge"), button("Snooze 1 d", "snooze")];
}

/** "1,234 rows answered, 5 refused, 2026-11-23 to 2026-11-30"; empty where nothing was counted. */
export function windowLine(window: WatchEntry["window"]): string {
  if (window === null) return "";
  return `${count(window.answered)} rows answered, ${count(window.refused)} refused, ${window.from.slice(0, 10)} to ${window.to.slice(0, 10)}`;
}

/** "drift ▁▂▃█ 0.31": the last value of each of 14 days; by labels where nothing tells of drift. Empty without any. */
export function trendLine({ store, now }: Pick<BotContext, "store" | "now">, model: string): string {
  const points = store.watches.points(model, now() - trendDays * dayMs);
  for (const [name, key] of [
    ["drift (PSI)", "drift"],
    ["error", "error"],
  ] as const) {
    const byDay = new Map(points.map((point) => [Math.floor(point.at / dayMs), point[key]]));
    const values = [...byDay.values()].map((value) => value ?? Number.NaN);
    const last = values.findLast((value) => Number.isFinite(value));
    if (last !== undefined) return `${name} <code>${sparkline(values)}</code> ${last.toPrecision(2)}`;
  }
  return "";
}

/** The model's line in a digest; null where it is not watched, or was not looked at yet. */
export function digestLine(context: BotContext, id: string): string | null {
  const entry = context.bot.watch === null ? null : context.store.watches.find(id);
  if (entry === null) return null;
  const open =
    (entry.reported === "FAIL" || entry.reported === "UNREACHABLE") && entry.acknowledgedBy === null
      ? " · not acknowledged"
      : "";
  const trend = trendLine(context, id);
  return `  watch ${withSign(entry.verdict)}${trend === "" ? "" : ` · ${trend}`}${open}`;
}
