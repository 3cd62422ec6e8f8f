import type { BotContext } from "./context.ts";
import { safe } from "./text.ts";

/** A person's GitHub login, escaped; "user 123" if none is linked. */
export function personName({ store }: Pick<BotContext, "store">, user: number): string {
  const login = store.links.login(user);
  return login === null ? `user ${user}` : safe(login, 40);
}
