import type { BotConfiguration } from "../config/config.ts";
import type { UserUpdate } from "../telegram/update.ts";

/**
 * Denies by default. User and chat must be listed by number, because anybody can take any name.
 *
 * @param listedAs the number under which bot.yaml may still list a chat: the group's, before it became a supergroup
 */
export function isAllowed(
  { users, chats, privateChats }: Pick<BotConfiguration["telegram"], "users" | "chats" | "privateChats">,
  { user, chat, privateChat }: Pick<UserUpdate, "user" | "chat" | "privateChat">,
  listedAs: (chat: number) => number = (one) => one,
): boolean {
  const listedUser = users.some(({ id }) => id === user);
  // The id of a private chat equals the user's id; anything else is forged.
  return (
    listedUser &&
    (chats.includes(chat) || chats.includes(listedAs(chat)) || (privateChat && privateChats && chat === user))
  );
}
