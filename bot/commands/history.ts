import { commandButton } from "../context/reply.ts";
import { figure, safe, shortSha, withSign } from "../context/text.ts";
import { liveVersion } from "../github/live.ts";
import { trendOf } from "../github/trend.ts";
import { askForModel, matchName, modelIds, type Command } from "./command.ts";

export const history: Command = {
  name: "history",
  usage: "/history MODEL",
  about: "versions of a model: verdict, metric, where each is live",
  async run({ services: { bot, github }, args, acknowledge }) {
    const ids = modelIds(bot);
    const model = matchName(args[0], ids) ?? (ids.length === 1 && args[0] === undefined ? (ids[0] as string) : null);
    if (model === null)
      return askForModel(
        history,
        args[0],
        "Which model?",
        ids.map((id) => `/history ${id}`),
      );
    acknowledge("⏳ Reading the receipts…");
    const { releases, metric, values, line } = await trendOf(github, bot, model);
    if (releases.length === 0) return { html: `<b>${safe(model)}</b> has no tagged version yet.` };
    const live = await Promise.all(
      Object.keys(bot.environments).map(async (environment) => ({
        environment,
        version: (await liveVersion(github, bot, environment, model))?.deployment.payload.version,
      })),
    );
    const rows = releases.map(({ version, sha, receipt }, i) => {
      const where = live.filter((one) => one.version === version).map(({ environment }) => environment);
      const value = values[i];
      return `${withSign(receipt?.verdict ?? "no receipt")} <b>${safe(version, 40)}</b> ${shortSha(sha)}${value === undefined || Number.isNaN(value) ? "" : ` ${figure(value)}`}${where.length === 0 ? "" : ` · live in ${safe(where.join(", "))}`}`;
    });
    return {
      html: [
        `<b>${safe(model)}</b>${metric === null ? "" : `, ${safe(metric)} <code>${line}</code>`}`,
        ...rows.toReversed(),
      ].join("\n"),
      buttons: [[commandButton(`/plan ${model} ${bot.live}`), commandButton(`/rollback ${model} ${bot.live}`)]],
    };
  },
};
