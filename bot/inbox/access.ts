import type { BotConfiguration } from "../config/config.ts";
import type { UserUpdate } from "./update.ts";

/** Denies by default. User and chat must be listed by number, because anybody can take any name. */
export function isAllowed(
  { users, chats, privateChats }: Pick<BotConfiguration["telegram"], "users" | "chats" | "privateChats">,
  { user, chat, privateChat }: Pick<UserUpdate, "user" | "chat" | "privateChat">,
): boolean {
  const listedUser = users.some(({ id }) => id === user);
  // The id of a private chat equals the user's id; anything else is forged.
  return listedUser && (chats.includes(chat) || (privateChat && privateChats && chat === user));
}
