import { requestAction } from "../approvals/request.ts";
import { statusOf } from "../../github/api.ts";
import { commandButton } from "../context/reply.ts";
import { safe, withSign } from "../context/text.ts";
import { linkHtml } from "../telegram/format.ts";
import { usage, type Command } from "./command.ts";
import { refusal, requesterOf } from "./refusal.ts";

export const cancel: Command = {
  name: "cancel",
  usage: "/cancel RUN",
  about: "cancel a workflow run",
  async run(ctx) {
    const { github } = ctx.services;
    const wanted = ctx.args[0];
    if (wanted === undefined || !/^\d{1,15}$/.test(wanted)) {
      const open = (await github.runs({ count: 20 })).filter(({ status }) => status !== "completed");
      return usage(
        cancel,
        wanted === undefined ? "Which run?" : `${safe(wanted)} is not a run's number.`,
        open.map(({ id }) => `/cancel ${id}`),
      );
    }
    const refused = await refusal(ctx);
    if (refused !== null) return refused;
    const run = await github.run(Number(wanted)).catch((error: unknown) => {
      if (statusOf(error) === 404) return null;
      throw error;
    });
    if (run === null) return { html: `There is no run ${wanted}.`, buttons: [[commandButton("/runs")]] };
    if (run.status === "completed")
      return {
        html: `Run ${run.id} has ended already: ${withSign(run.conclusion ?? run.status)}`,
        buttons: [[commandButton("/runs")]],
      };
    return requestAction(ctx.services, requesterOf(ctx), {
      detail: { kind: "cancel", run: run.id, name: run.title },
      sha: "",
      digest: "",
      needed: 1,
      about: [
        `${withSign(run.status)} ${linkHtml(run.name, run.url)} ${safe(run.branch, 40)}, started by ${safe(run.actor, 40)}`,
        "A deployment that the run has begun is undone before the run ends.",
      ],
    });
  },
};
