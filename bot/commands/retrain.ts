import { requestAction } from "../approvals/request.ts";
import { askForModel, matchName, modelIds, type Command } from "./command.ts";
import { refusal, requesterOf } from "./refusal.ts";

export const retrain: Command = {
  name: "retrain",
  usage: "/retrain MODEL [REASON]",
  about: "train a model again; its candidate comes as a pull request",
  async run(ctx) {
    const { bot } = ctx.services;
    const ids = modelIds(bot);
    const model = matchName(ctx.args[0], ids);
    if (model === null)
      return askForModel(
        retrain,
        ctx.args[0],
        "Which model?",
        ids.map((id) => `/retrain ${id}`),
      );
    const refused = await refusal(ctx);
    if (refused !== null) return refused;
    return requestAction(ctx.services, requesterOf(ctx), {
      detail: {
        kind: "retrain",
        model,
        reason: ctx.payload
          .trim()
          .replace(/^\S+\s*/, "")
          .slice(0, 200),
      },
      sha: "",
      digest: "",
      needed: 1,
      about: [],
    });
  },
};
