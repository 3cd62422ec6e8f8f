import { commandButton } from "../context/reply.ts";
import { safe } from "../context/text.ts";
import { statusText } from "../status/status-text.ts";
import { matchName, modelIds, usage, type Command } from "./command.ts";

export const status: Command = {
  name: "status",
  usage: "/status [MODEL]",
  about: "every model: live version, Space health, verdicts of main and open pull requests",
  async run({ services: context, args, place, acknowledge }) {
    const { bot } = context;
    const ids = modelIds(bot);
    const one = matchName(args[0], ids);
    if (args[0] !== undefined && one === null)
      return usage(
        status,
        `There is no model ${safe(args[0])}.`,
        ids.map((id) => `/status ${id}`),
      );
    acknowledge("⏳ Asking GitHub and the Spaces…");
    return {
      html: await statusText(context, one === null ? ids : [one], place.chat),
      buttons: [
        [
          commandButton(one === null ? "/status" : `/status ${one}`, "Again"),
          commandButton("/runs"),
          commandButton("/gates"),
        ],
      ],
    };
  },
};
