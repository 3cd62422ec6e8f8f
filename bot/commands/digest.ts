import { digestHour } from "../events/digest.ts";
import { safe } from "../context/text.ts";
import { matchName, usage, type Command } from "./command.ts";

export const digest: Command = {
  name: "digest",
  usage: "/digest daily|off",
  about: "once a day: what happened, and each model's metric over its versions",
  run({ services: { bot, store }, args, place }) {
    const choice = matchName(args[0], ["daily", "off"]);
    if (choice === null || args.length > 1)
      return usage(digest, args[0] === undefined ? "Daily, or off?" : `${safe(args.join(" "))} is neither.`, [
        "/digest daily",
        "/digest off",
      ]);
    const { hour, zone } = digestHour(bot);
    return () => {
      store.subscriptions.setDigest(place, choice === "daily");
      return {
        html: choice === "daily" ? `A digest comes every day at ${hour}:00 ${zone}.` : "No digest any more.",
      };
    };
  },
};
