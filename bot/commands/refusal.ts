import { whyNotAllowed, type Requester } from "../approvals/request.ts";
import type { BotContext } from "../context/context.ts";
import type { Reply } from "../context/reply.ts";
import { safe } from "../context/text.ts";
import { githubEnvironment } from "../github/environments.ts";
import { commandButton, type CommandRequest } from "./command.ts";
import { lockLines, lockOf } from "./lock-lines.ts";

// What keeps a command from asking for an action. It is said at once rather than after the taps, and checked again
// before acting.

export function requesterOf({ update, key }: CommandRequest): Requester {
  return { user: update.user, key };
}

/** The answer to somebody who may not act; null for whoever may. */
export async function refusal(context: BotContext, { update }: CommandRequest): Promise<Reply | null> {
  const why = await whyNotAllowed(context, update.user);
  if (why === null) return null;
  const next = context.store.links.find(update.user) === null ? "/link" : "/whoami";
  return { html: `⛔ ${safe(why, 200)}`, buttons: [[commandButton(next)]] };
}

/** The answer where the environment is locked; null where it is free. */
export async function refusalByLock(context: BotContext, model: string, stage: string): Promise<Reply | null> {
  const held = await lockOf(context, githubEnvironment(context.bot, model, stage));
  return held === null ? null : { html: lockLines([held]).join("\n"), buttons: [[commandButton("/unlock")]] };
}
