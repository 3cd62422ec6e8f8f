import { commandButton } from "../context/reply.ts";
import { ago, figure, safe, shortSha, withSign } from "../context/text.ts";
import { linkHtml } from "../telegram/format.ts";
import { matchName, modelIds, usage, type Command } from "./command.ts";
import { decidingLines, modelLines, runLine } from "../status/verdict-lines.ts";

export const gates: Command = {
  name: "gates",
  usage: "/gates [MODEL]",
  about: "what the gates say of main and of open pull requests; with a model, the checks and its last release",
  async run({ services: { bot, github, verdicts, now }, args, acknowledge }) {
    const ids = modelIds(bot);
    const model = matchName(args[0], ids);
    if (args[0] !== undefined && model === null)
      return usage(
        gates,
        `There is no model ${safe(args[0])}.`,
        ids.map((id) => `/gates ${id}`),
      );
    acknowledge("⏳ Reading the verdicts…");
    const latest = await verdicts.latest();
    if (model === null) {
      const runs = await github.runs({ file: bot.github.gate, count: 8 });
      const lines = runs.map(
        (run) =>
          `${withSign(run.conclusion ?? run.status)} ${linkHtml(run.branch, run.url)} ${shortSha(run.sha)}, ${safe(run.actor, 40)}, ${ago(run.updatedAt, now())}`,
      );
      return {
        html: [
          "<b>Verdicts</b>",
          ...(latest.length === 0
            ? ["no gate has run on the branch or an open pull request"]
            : latest.map((one) => runLine(one, now()))),
          "<b>Latest gate runs</b>",
          ...(lines.length === 0 ? ["none yet"] : lines),
        ].join("\n"),
        buttons: [ids.slice(0, 4).map((id) => commandButton(`/gates ${id}`, id))],
      };
    }
    const last = (await github.tags(model)).at(-1);
    const receipt = last === undefined ? null : (await github.release(last)).receipt;
    const released =
      receipt === null
        ? [`No release of ${safe(model)} has a receipt yet.`]
        : [
            `<b>${safe(model)} ${safe(receipt.version, 40)}</b>: ${withSign(receipt.verdict ?? "no verdict")} (receipt in the tag ${safe(last?.name ?? "", 80)})`,
            `<pre>${receipt.metrics
              .slice(0, 8)
              .map(
                ({ metric, value, interval }) =>
                  `${safe(metric, 24).padEnd(20)} ${figure(value)}${interval === null ? "" : ` [${figure(interval.low)}, ${figure(interval.high)}]`}`,
              )
              .join("\n")}</pre>`,
          ];
    const current = modelLines(latest, model, now());
    return {
      html: [
        "<b>Last release</b>",
        ...released,
        "<b>Gates now</b>",
        ...(current.length === 0 ? [`no gate on the branch or an open pull request judged ${safe(model)}`] : current),
        ...decidingLines(latest, model),
      ].join("\n"),
    };
  },
};
