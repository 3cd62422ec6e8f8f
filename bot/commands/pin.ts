import { safe } from "../context/text.ts";
import { pinKey } from "../events/pinned-status.ts";
import { usage, type Command } from "./command.ts";

export const pin: Command = {
  name: "pin",
  usage: "/pin [off]",
  about: "a pinned message in this chat that always shows the status",
  run({ services: { store }, args, place }) {
    if (args.length > 1 || (args[0] !== undefined && args[0].toLowerCase() !== "off"))
      return usage(pin, `${safe(args.join(" "))} is not "off".`, ["/pin", "/pin off"]);
    return () => {
      if (args.length === 1)
        return {
          html: store.pins.remove(place.chat)
            ? "The status message is kept up to date no more; unpin it where you like."
            : "This chat has no status message.",
        };
      // Anew: a message that was deleted, or could not be pinned, is sent once more.
      store.pins.remove(place.chat);
      store.messages.drop(pinKey(place.chat));
      store.pins.add(place);
      return { html: "A status message follows, is pinned if the bot may pin messages here, and changes in place." };
    };
  },
};
