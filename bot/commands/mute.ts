import { audit as auditEntry } from "../approvals/request.ts";
import { clockTime, safe } from "../context/text.ts";
import { dayMs, hourMs, minuteMs } from "../telegram/clock.ts";
import { askForModel, matchName, modelIds, usage, type Command } from "./command.ts";
import { refusal } from "./refusal.ts";

export const mute: Command = {
  name: "mute",
  usage: "/mute MODEL|all 30m|2h|3d|off",
  about:
    "no alerts of a model for a while; approvals, a failed production and labels that show it worse are told all the same",
  async run(ctx) {
    const { services: context } = ctx;
    const { bot, store, now } = context;
    const { args, place } = ctx;
    const ids = [...modelIds(bot), "all"];
    const model = matchName(args[0], ids);
    const ms = args[1] === "off" ? 0 : durationMs(args[1] ?? "");
    if (model === null)
      return askForModel(
        mute,
        args[0],
        "Which model?",
        ids.map((id) => `/mute ${id} 2h`),
      );
    if (ms === null || args.length > 2)
      return usage(
        mute,
        args[1] === undefined ? "For how long?" : `${safe(args[1])} is not a time from 1m to 30d.`,
        ["30m", "2h", "1d", "off"].map((one) => `/mute ${model} ${one}`),
      );
    const refused = await refusal(ctx);
    if (refused !== null) return refused;
    return () => {
      const until = now() + ms;
      const { user } = ctx.act;
      store.subscriptions.mute(place.chat, model, until, user);
      auditEntry(context, user, ms === 0 ? "unmutes" : "mutes", {
        model,
        chat: place.chat,
        ...(ms === 0 ? {} : { result: `until ${clockTime(until, bot.timeZone)}` }),
      });
      return {
        html:
          ms === 0
            ? `Alerts of <b>${safe(model)}</b> are on.`
            : `No alerts of <b>${safe(model)}</b> until ${clockTime(until, bot.timeZone)}. Approvals, a failed ${safe(bot.live)} and labels that show it worse are told all the same.`,
      };
    };
  },
};

const unitMs: Record<string, number> = { m: minuteMs, h: hourMs, d: dayMs };

/** Milliseconds of "30m", "2h" or "3d", from one minute to 30 days; null for anything else. */
export function durationMs(text: string): number | null {
  const [, count, unit] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) return null;
  const ms = Number(count) * (unitMs[unit] as number);
  return ms >= minuteMs && ms <= 30 * dayMs ? ms : null;
}
