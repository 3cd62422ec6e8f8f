import { audit } from "../approvals/request.ts";
import { safe } from "../context/text.ts";
import { events } from "../store/subscriptions.ts";
import { matchName, modelIds, usage, type Command } from "./command.ts";
import { refusal } from "./refusal.ts";

export const subscribe: Command = {
  name: "subscribe",
  usage: "/subscribe MODEL|all gate|approval|deploy|watch|all|off",
  about: "tell this chat when something changes",
  async run(ctx) {
    const { services: context } = ctx;
    const { bot, store } = context;
    const { args, place } = ctx;
    const ids = [...modelIds(bot), "all"];
    const model = matchName(args[0], ids);
    const kinds = [...events, "off"] as const;
    const event = matchName(args[1], kinds) as (typeof kinds)[number] | null;
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
    // Who takes alerts away from a chat needs the same rights as who mutes them.
    const refused = event === "off" ? await refusal(ctx) : null;
    if (refused !== null) return refused;
    return () => {
      if (event === "off") {
        const removed = store.subscriptions.remove(place.chat, model);
        audit(context, ctx.act.user, "unsubscribes", { model, chat: place.chat });
        return {
          html:
            removed === 0
              ? `This chat did not hear of ${safe(model)}.`
              : `This chat hears no more of ${model === "all" ? "anything" : `<b>${safe(model)}</b>`}.`,
        };
      }
      store.subscriptions.add({ ...place, model, event });
      return {
        html: `This chat hears of <b>${model === "all" ? "every model" : safe(model)}</b>: ${event === "all" ? "gates, approvals, deployments and the watch" : event}, when they change.`,
      };
    };
  },
};
