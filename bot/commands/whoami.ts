import { commandButton } from "../context/reply.ts";
import { safe } from "../context/text.ts";
import type { Command } from "./command.ts";

export const whoami: Command = {
  name: "whoami",
  usage: "/whoami",
  about: "your ids, your GitHub account, what you may do",
  async run({ services: { bot, store, github }, act }) {
    const known = store.links.find(act.user);
    const { role } = known === null ? { role: "none" } : await github.permission(known.login);
    return {
      html: [
        `user <code>${act.user}</code>, chat <code>${act.chat}</code>`,
        known === null
          ? "GitHub: not linked; you can look, not act."
          : `GitHub: <b>${safe(known.login)}</b>, ${safe(role)} in ${safe(bot.repository, 140)} (acting takes ${bot.github.permission})`,
      ].join("\n"),
      ...(known === null ? { buttons: [[commandButton("/link")]] } : {}),
    };
  },
};
