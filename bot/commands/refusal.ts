import { whyNotAllowed } from "../approvals/persons.ts";
import type { Requester } from "../approvals/request.ts";
import type { BotContext } from "../context/context.ts";
import { commandButton, type Reply } from "../context/reply.ts";
import type { SluiceContext } from "../context/telegraf-context.ts";
import { safe } from "../context/text.ts";
import { githubEnvironment } from "../github/environments.ts";
import { lockLines, lockOf } from "../status/lock-lines.ts";

// Reasons to refuse a command that asks for an action. They are reported at once instead of after the taps, and checked
// again right before acting.

export function requesterOf({ act, key }: SluiceContext): Requester {
  return { user: act.user, key };
}

/** The answer to a person who may not act; null if they may. */
export async function refusal({ services: context, act }: SluiceContext): Promise<Reply | null> {
  const why = await whyNotAllowed(context, act.user);
  if (why === null) return null;
  const next = context.store.links.find(act.user) === null ? "/link" : "/whoami";
  return { html: `⛔ ${safe(why, 200)}`, buttons: [[commandButton(next)]] };
}

/** The answer if the environment is locked; null if it is free. */
export async function refusalByLock(context: BotContext, model: string, stage: string): Promise<Reply | null> {
  const held = await lockOf(context, githubEnvironment(context.bot, model, stage));
  return held === null ? null : { html: lockLines([held]).join("\n"), buttons: [[commandButton("/unlock")]] };
}
