import type { BotContext } from "../context/command.ts";

const ranks: Record<string, number> = { none: 0, read: 1, triage: 2, write: 3, maintain: 4, admin: 5 };

/**
 * Whether a Telegram user may act on GitHub now: linked, and with enough permission in the repository today.
 *
 * @returns null, or why not, in plain words
 */
export async function whyNot(
  { bot, store, github }: Pick<BotContext, "bot" | "store" | "github">,
  user: number,
): Promise<string | null> {
  if (!bot.telegram.users.some(({ id }) => id === user)) return `user ${user} is not on the list any more`;
  const link = store.links.find(user);
  if (link === null) return "no GitHub account is linked: write /link";
  const { role, id } = await github.permission(link.login);
  // A login that was given up may belong to somebody else by now; the number does not change.
  if (id !== 0 && id !== link.githubId) return `${link.login} is another GitHub account now: /link again`;
  return (ranks[role] ?? 0) >= (ranks[bot.github.permission] as number)
    ? null
    : `${link.login} has ${role} in ${bot.repository}; it takes ${bot.github.permission}`;
}
