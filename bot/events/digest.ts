import type { BotContext } from "../context/context.ts";
import { errorLine } from "../context/log.ts";
import { toContent } from "../context/reply.ts";
import { clockParts, clockTime, safe, withSign } from "../context/text.ts";
import { liveVersion } from "../github/live.ts";
import { trendOf } from "../github/trend.ts";
import { dayMs } from "../telegram/clock.ts";
import { digestLine } from "../watch/alert.ts";

/** The digest of the last 24 hours: counts of runs and deployments, and each model's metric over its versions. */
async function digestHtml(context: BotContext): Promise<string> {
  const { github, bot, now } = context;
  const since = now() - dayMs;
  const [runs, deployments] = [
    (await github.runs({ count: 100 })).filter((run) => run.updatedAt >= since),
    (await github.deployments({ count: 100 })).filter((one) => one.createdAt >= since && one.payload !== null),
  ];
  const gates = runs.filter((run) => run.file === bot.github.gate && run.status === "completed");
  const count = (conclusion: string) => gates.filter((run) => run.conclusion === conclusion).length;
  const models = await Promise.all(
    bot.models.map(async ({ id }) => {
      const [trend, live] = [await trendOf(github, bot, id), await liveVersion(github, bot, bot.live, id)];
      const watched = digestLine(context, id);
      return `<b>${safe(id)}</b> ${live === null ? "not live" : `${safe(live.deployment.payload.version, 40)} ${withSign(live.deployment.payload.verdict ?? "no verdict")}`}${trend.metric === null ? "" : ` · ${safe(trend.metric)} <code>${trend.line}</code>`}${watched === null ? "" : `\n${watched}`}`;
    }),
  );
  return [
    `<b>Digest of ${clockTime(now(), digestHour(bot).zone).slice(0, 10)}</b>`,
    `gates: ${gates.length} (${count("success")} green, ${count("failure")} red) · deployments: ${deployments.length} · waiting: ${runs.filter(({ status }) => status === "waiting").length}`,
    ...models,
  ].join("\n");
}

/** The hour at which digests are due, and the time zone of that hour. */
export function digestHour({ digest, timeZone }: BotContext["bot"]): { hour: number; zone: string } {
  return digest.hourUtc === undefined ? { hour: digest.hour, zone: timeZone } : { hour: digest.hourUtc, zone: "UTC" };
}

/** Sends today's digest to the chats where it is due. A chat gets one a day, even if the bot restarts. */
export async function sendDigests(context: BotContext): Promise<void> {
  const { store, bot, now } = context;
  const { hour: dueHour, zone } = digestHour(bot);
  const { year, month, day: dayOfMonth, hour } = clockParts(now(), zone);
  const day = `${year}-${month}-${dayOfMonth}`;
  if (Number(hour) < dueHour) return;
  const due = store.subscriptions
    .digestPlaces()
    .filter(({ chat }) => store.messages.byKey(`digest:${day}:${chat}`) === null);
  if (due.length === 0) return;
  try {
    const html = await digestHtml(context);
    for (const place of due)
      store.messages.want(
        `digest:${day}:${place.chat}`,
        place,
        toContent(context, { html }, place.chat, "digest"),
        now(),
        { silent: true },
      );
  } catch (error) {
    context.log.warn("digest-failed", { error: errorLine(error) });
  }
}
