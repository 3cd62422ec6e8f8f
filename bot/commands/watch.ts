import { commandButton } from "../context/reply.ts";
import { watchedModels, watchLines, watchReply } from "../watch/reply.ts";
import { safe } from "../context/text.ts";
import { matchName, usage, type Command } from "./command.ts";

export const watch: Command = {
  name: "watch",
  usage: "/watch [MODEL]",
  about: "what the live models see and answer, against what they were gated on",
  run({ services: context, args }) {
    const { bot } = context;
    if (bot.watch === null) return { html: "The bot watches nothing: <code>watch: {}</code> in bot.yaml turns it on." };
    const ids = watchedModels(bot).map(({ id }) => id);
    if (ids.length === 0) return { html: "No model of bot.yaml has a <code>live</code> Space to watch." };
    const one = matchName(args[0], ids);
    if (args[0] !== undefined && one === null)
      return usage(
        watch,
        `No ${safe(args[0])} is watched.`,
        ids.map((id) => `/watch ${id}`),
      );
    const only = one ?? (ids.length === 1 ? ids[0]! : null);
    if (only !== null) return watchReply(context, only);
    return {
      html: [`<b>Watch of ${safe(bot.live)}</b>`, ...ids.flatMap((id) => watchLines(context, id))].join("\n"),
      buttons: [...ids.slice(0, 9).map((id) => [commandButton(`/watch ${id}`)]), [commandButton("/watch", "Again")]],
    };
  },
};
