import { events } from "../store/subscriptions.ts";
import type { Command } from "../context/command.ts";
import { modelIds, named, usage } from "./usage.ts";
import { durationMs, safe } from "../context/text.ts";

export const subscribe: Command = {
  name: "subscribe",
  usage: "/subscribe MODEL|all gate|approval|deploy|all|off",
  about: "tell this chat when something changes",
  run({ bot, store }, { args, place }) {
    const ids = [...modelIds(bot), "all"];
    const model = named(args[0], ids);
    const kinds = [...events, "off"] as const;
    const event = named(args[1], kinds) as (typeof kinds)[number] | null;
    if (model === null || event === null || args.length > 2) {
      const now = store.subscriptions.of(place.chat).map((one) => `${one.model}: ${one.event}`);
      const problem =
        model === null && args[0] !== undefined
          ? `There is no model ${safe(args[0])}.`
          : event === null && args[1] !== undefined
            ? `There is no event ${safe(args[1])}.`
            : `This chat hears of: ${now.length === 0 ? "nothing" : safe(now.join(", "), 400)}.`;
      return usage(
        subscribe,
        problem,
        model === null
          ? ["/subscribe all all", ...ids.slice(0, 6).map((id) => `/subscribe ${id} all`)]
          : kinds.map((kind) => `/subscribe ${model} ${kind}`),
      );
    }
    return () => {
      if (event === "off") {
        const gone = store.subscriptions.remove(place.chat, model);
        return {
          html:
            gone === 0
              ? `This chat did not hear of ${safe(model)}.`
              : `This chat hears no more of ${model === "all" ? "anything" : `<b>${safe(model)}</b>`}.`,
        };
      }
      store.subscriptions.add({ ...place, model, event });
      return {
        html: `This chat hears of <b>${model === "all" ? "every model" : safe(model)}</b>: ${event === "all" ? "gates, approvals and deployments" : event}, when they change.`,
      };
    };
  },
};

export const mute: Command = {
  name: "mute",
  usage: "/mute MODEL|all 30m|2h|3d|off",
  about: "no alerts of a model for a while",
  run({ bot, store, now }, { args, place }) {
    const ids = [...modelIds(bot), "all"];
    const model = named(args[0], ids);
    const ms = args[1] === "off" ? 0 : durationMs(args[1] ?? "");
    if (model === null)
      return usage(
        mute,
        args[0] === undefined ? "Which model?" : `There is no model ${safe(args[0])}.`,
        ids.map((id) => `/mute ${id} 2h`),
      );
    if (ms === null || args.length > 2)
      return usage(
        mute,
        args[1] === undefined ? "For how long?" : `${safe(args[1])} is not a time from 1m to 30d.`,
        ["30m", "2h", "1d", "off"].map((one) => `/mute ${model} ${one}`),
      );
    return () => {
      const until = now() + ms;
      store.subscriptions.mute(place.chat, model, until);
      return {
        html:
          ms === 0
            ? `Alerts of <b>${safe(model)}</b> are on.`
            : `No alerts of <b>${safe(model)}</b> until ${new Date(until).toISOString().slice(0, 16).replace("T", " ")} UTC.`,
      };
    };
  },
};

export const digest: Command = {
  name: "digest",
  usage: "/digest daily|off",
  about: "once a day: what happened, and each model's metric over its versions",
  run({ bot, store }, { args, place }) {
    const choice = named(args[0], ["daily", "off"]);
    if (choice === null || args.length > 1)
      return usage(digest, args[0] === undefined ? "Daily, or off?" : `${safe(args.join(" "))} is neither.`, [
        "/digest daily",
        "/digest off",
      ]);
    return () => {
      store.subscriptions.setDigest(place, choice === "daily");
      return {
        html: choice === "daily" ? `A digest comes every day at ${bot.digest.hourUtc}:00 UTC.` : "No digest any more.",
      };
    };
  },
};
