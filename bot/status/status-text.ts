import type { BotContext } from "../context/context.ts";
import { personName } from "../context/person-name.ts";
import { ago, clockTime, safe, withSign } from "../context/text.ts";
import { liveVersion } from "../github/live.ts";
import type { RunVerdicts } from "../github/verdicts.ts";
import { askModel, askReady } from "../spaces/ask.ts";
import { lockLines } from "./lock-lines.ts";
import { modelLines } from "./verdict-lines.ts";

/** The state of models, as HTML: locks, mutes, and for each model what is live, its Space's health, and its gates. */
export async function statusText(context: BotContext, ids: readonly string[], chat: number): Promise<string> {
  const { bot, github } = context;
  const [locks, latest] = await Promise.all([github.locks(bot.github.lock), context.verdicts.latest()]);
  const lines = await Promise.all(ids.map((id) => describe(context, id, latest)));
  return [`<b>Status of ${safe(bot.live)}</b>`, ...lockLines(locks), ...muteLines(context, chat), ...lines].join("\n");
}

/** One line for each mute that holds, of this chat and of others. */
function muteLines(context: BotContext, here: number): string[] {
  const { store, bot, now } = context;
  return store.subscriptions
    .mutes(now())
    .map(
      ({ chat, model, until, user }) =>
        `🔕 ${safe(model)} ${chat === here ? "muted here" : `muted in ${chat}`} until ${clockTime(until, bot.timeZone)}${user === null ? "" : ` by ${personName(context, user)}`}`,
    );
}

async function describe(
  { bot, github, spaces, now }: BotContext,
  id: string,
  latest: readonly RunVerdicts[],
): Promise<string> {
  const live = await liveVersion(github, bot, bot.live, id);
  const space = bot.models.find((one) => one.id === id)?.live;
  const served =
    live === null
      ? "no live version"
      : `${safe(live.deployment.payload.version, 40)} ${withSign(live.deployment.payload.verdict ?? "no verdict")}, ${ago(live.deployment.createdAt, now())} (Deployment ${live.deployment.id})`;
  const gates = modelLines(latest, id, now())
    .map((line) => `\n  ${line}`)
    .join("");
  if (space === undefined) return `<b>${safe(id)}</b>: ${served}${gates}`;
  const [ready, model] = await Promise.all([askReady(spaces, space), askModel(spaces, space, id)]);
  const health = ready.ok ? `🟢 Space ready, ${Math.round(ready.ms)} ms` : `🔴 Space: ${safe(ready.why, 120)}`;
  const differs =
    model.ok &&
    live !== null &&
    model.value.version !== undefined &&
    model.value.version !== live.deployment.payload.version
      ? `\n  ⚠️ the Space serves ${safe(model.value.version, 40)}`
      : "";
  return `<b>${safe(id)}</b>: ${served}\n  ${health}${differs}${gates}`;
}
