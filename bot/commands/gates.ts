import { linkHtml } from "../telegram/format.ts";
import type { Command } from "./command.ts";
import { commandButton, modelIds, named, usage } from "./usage.ts";
import { ago, figure, marked, safe, short } from "./words.ts";

export const gates: Command = {
  name: "gates", usage: "/gates [MODEL]", about: "latest gates; with a model, what its last release was let through with",
  async run({ bot, github, now }, { args }) {
    const ids = modelIds(bot);
    const model = named(args[0], ids);
    if (args[0] !== undefined && model === null) return usage(gates, `There is no model ${safe(args[0])}.`, ids.map((id) => `/gates ${id}`));
    const runs = await github.runs({ file: bot.github.gate, count: 8 });
    const lines = runs.map((run) => `${marked(run.conclusion ?? run.status)} ${linkHtml(run.branch, run.url)} ${short(run.sha)}, ${safe(run.actor, 40)}, ${ago(run.updatedAt, now())}`);
    const released: string[] = [];
    if (model !== null) {
      const last = (await github.tags(model)).at(-1);
      const receipt = last === undefined ? null : (await github.release(last)).receipt;
      released.push(receipt === null ? `No release of ${safe(model)} has a receipt yet.` : `<b>${safe(model)} ${safe(receipt.version, 40)}</b>: ${marked(receipt.verdict ?? "no verdict")}`);
      if (receipt !== null) released.push(`<pre>${receipt.metrics.slice(0, 8).map(({ metric, value, interval }) => `${safe(metric, 24).padEnd(20)} ${figure(value)}${interval === null ? "" : ` [${figure(interval.low)}, ${figure(interval.high)}]`}`).join("\n")}</pre>`);
    }
    return {
      html: [...released, "<b>Latest gates</b>", ...(lines.length === 0 ? ["none yet"] : lines)].join("\n"),
      ...(model === null ? { buttons: [ids.slice(0, 4).map((id) => commandButton(`/gates ${id}`, id))] } : {}),
    };
  },
};
