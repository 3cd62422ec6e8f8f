import type { BotContext } from "../context/context.ts";
import { errorLine } from "../context/log.ts";
import { toContent } from "../context/reply.ts";
import { safe } from "../context/text.ts";
import type { DeviceFlow } from "../github/device-flow.ts";
import type { Linking } from "../store/links.ts";

/** Asks GitHub who has entered the code that /link gave them, and links those people. */
export async function settleLinks(context: BotContext): Promise<void> {
  const { store, device, now } = context;
  if (device === null) return;
  for (const one of store.links.begun()) {
    if (one.nextAt > now()) continue;
    if (one.expiresAt <= now()) {
      end(context, one, "The code was not entered in time. Write /link again.");
      continue;
    }
    store.links.begin({ ...one, nextAt: now() + one.intervalMs });
    await askOne(context, device, one).catch((error: unknown) => {
      context.log.warn("linking-failed", { user: one.user, error: errorLine(error) });
    });
  }
}

async function askOne(context: BotContext, device: DeviceFlow, one: Linking): Promise<void> {
  const { store, now } = context;
  const answer = await device.ask(one.deviceCode);
  if (answer.kind === "pending") {
    if (answer.slowDownMs !== null)
      store.links.begin({ ...one, intervalMs: answer.slowDownMs, nextAt: now() + answer.slowDownMs });
  } else if (answer.kind === "ended") end(context, one, `GitHub ended it: ${safe(answer.why)}. Write /link again.`);
  else await finish(context, one, answer.token);
}

async function finish(context: BotContext, one: Linking, token: string): Promise<void> {
  const { store, github, bot, now } = context;
  const { login, id } = await github.as(token).me();
  const only = bot.telegram.users.find((user) => user.id === one.user)?.github;
  if (only !== undefined && only.toLowerCase() !== login.toLowerCase()) {
    store.audit.add(now(), { user: one.user, login }, "link refused", { expected: only });
    return end(context, one, `⛔ bot.yaml lets you link only ${safe(only)}; you logged in as ${safe(login)}.`);
  }
  store.transaction(() => {
    const before = store.links.link({ user: one.user, login, githubId: id, linkedAt: now() }, token);
    store.audit.add(now(), { user: one.user, login }, "link", before === null ? {} : { takenFrom: before });
    end(context, one, `✅ You are <b>${safe(login)}</b> on GitHub.`);
    if (before !== null) tellFormer(context, before, one.user, login);
  });
}

/** Tells the person who was linked before, who may know nothing of it: somebody else logged in to that account. */
function tellFormer(context: BotContext, former: number, user: number, login: string): void {
  const { store, now, bot } = context;
  if (!bot.telegram.privateChats || !bot.telegram.users.some(({ id }) => id === former)) return;
  const key = `unlinked:${former}:${now()}`;
  const html = `⚠️ Telegram user <code>${user}</code> has proved to be <b>${safe(login)}</b> on GitHub, so you are not linked to that account any more. If that was not you, change your password at GitHub and tell the team; /link links you again.`;
  store.messages.want(key, { chat: former, topic: null }, toContent(context, { html }, former, key), now(), {
    urgent: true,
  });
}

function end(context: BotContext, { user, messageKey }: Linking, html: string): void {
  const { store, now } = context;
  store.transaction(() => {
    store.links.end(user);
    const shown = store.messages.byKey(messageKey);
    if (shown !== null)
      store.messages.want(messageKey, shown, toContent(context, { html }, shown.chat, messageKey), now());
  });
}
