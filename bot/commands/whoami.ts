import { safe } from "../context/text.ts";
import { commandButton, type Command } from "./command.ts";

export const whoami: Command = {
  name: "whoami",
  usage: "/whoami",
  about: "your ids, your GitHub account, what you may do",
  async run({ bot, store, github }, { update }) {
    const known = store.links.find(update.user);
    const { role } = known === null ? { role: "none" } : await github.permission(known.login);
    return {
      html: [
        `user <code>${update.user}</code>, chat <code>${update.chat}</code>`,
        known === null
          ? "GitHub: not linked; you can look, not act."
          : `GitHub: <b>${safe(known.login)}</b>, ${safe(role)} in ${safe(bot.repository, 140)} (acting takes ${bot.github.permission})`,
      ].join("\n"),
      ...(known === null ? { buttons: [[commandButton("/link")]] } : {}),
    };
  },
};
