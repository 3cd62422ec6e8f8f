import type { BotContext } from "../context/context.ts";
import { toContent } from "../context/reply.ts";
import { safe } from "../context/text.ts";
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
    const answer = await device.ask(one.deviceCode);
    if (answer.kind === "pending") {
      if (answer.slowDownMs !== null)
        store.links.begin({ ...one, intervalMs: answer.slowDownMs, nextAt: now() + answer.slowDownMs });
    } else if (answer.kind === "ended") end(context, one, `GitHub ended it: ${safe(answer.why)}. Write /link again.`);
    else await finish(context, one, answer.token);
  }
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
