import type { BotContext } from "../context/context.ts";
import { stageOf } from "../github/environments.ts";
import type { Run } from "../github/github.ts";
import type { Action } from "../store/actions.ts";
import { startedBy } from "./deployed-by.ts";

// Who counts as a person. A person is a GitHub account of type User with enough permission in the repository now. Bots
// and GitHub Apps never count.

const ranks: Record<string, number> = { none: 0, read: 1, triage: 2, write: 3, maintain: 4, admin: 5 };

type Deps = Pick<BotContext, "bot" | "store" | "github">;

/** null if an account may act in the repository now; otherwise why not, in a sentence for people. */
async function whyNoPerson(
  { bot, github }: Pick<BotContext, "bot" | "github">,
  login: string,
  githubId: number | null,
): Promise<string | null> {
  const { role, id, isBot } = await github.permission(login);
  // A login that was given up may belong to somebody else now. The account's number never changes.
  if (id !== 0 && githubId !== null && id !== githubId) return `${login} is another GitHub account now: /link again`;
  if (isBot) return `${login} is a bot's account, and bots do not count as persons`;
  return (ranks[role] ?? 0) >= (ranks[bot.github.permission] as number)
    ? null
    : `${login} has ${role} in ${bot.repository}; it takes ${bot.github.permission}`;
}

/**
 * Whether a Telegram user may act on GitHub now: linked, and with enough permission in the repository today.
 *
 * @returns null, or why not, in a sentence for people
 */
export async function whyNotAllowed(deps: Deps, user: number): Promise<string | null> {
  if (!deps.bot.telegram.users.some(({ id }) => id === user)) return `user ${user} is not on the list any more`;
  const link = deps.store.links.find(user);
  if (link === null) return "no GitHub account is linked: write /link";
  return whyNoPerson(deps, link.login, link.githubId);
}

/** Those of an action's approvers who may still act. Who lost the right since their tap does not count any more. */
export async function approversNow(deps: Deps, { approvers }: Pick<Action, "approvers">): Promise<number[]> {
  const checked = await Promise.all(approvers.map(async (user) => ({ user, why: await whyNotAllowed(deps, user) })));
  return checked.filter(({ why }) => why === null).map(({ user }) => user);
}

/** How many persons must review a waiting run in Telegram, and who may not because the run is theirs. */
export type ReviewRule = { needed: number; persons: number; starter: string | null; starterCounts: boolean };

/**
 * Who started a run counts as one of the persons if bot.yaml lets them and they may act themselves. A run that the bot
 * started under its own account was started by whoever asked the bot.
 *
 * @returns null if the environment is not in bot.yaml
 */
export async function reviewRule(deps: Deps, run: Run, environment: string): Promise<ReviewRule | null> {
  const { bot, store } = deps;
  const rule = bot.environments[stageOf(bot, environment) ?? ""];
  if (rule === undefined) return null;
  const { persons, starterCounts: mayCount } = rule;
  const action = startedBy(deps, run);
  const starter = action === null ? run.actor : store.links.login(action.initiator);
  const starterCounts =
    persons > 1 && mayCount && starter !== null && starter !== "" && (await whyNoPerson(deps, starter, null)) === null;
  return { needed: starterCounts ? persons - 1 : persons, persons, starter, starterCounts };
}
