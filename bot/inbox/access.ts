import type { BotConfiguration } from "../config/config.ts";
import type { Said } from "./update.ts";

/** Deny by default: a listed user, by number, in a listed chat, by number. Names say nothing: anybody can take one. */
export function isAllowed(
  { users, chats, privateChats }: Pick<BotConfiguration["telegram"], "users" | "chats" | "privateChats">,
  { user, chat, privateChat }: Pick<Said, "user" | "chat" | "privateChat">,
): boolean {
  const listedUser = users.some(({ id }) => id === user);
  // In a private chat, chat and user have the same number; anything else is forged.
  return listedUser && (chats.includes(chat) || (privateChat && privateChats && chat === user));
}
