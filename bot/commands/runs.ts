import { commandButton } from "../context/reply.ts";
import { ago, safe, shortSha, withSign } from "../context/text.ts";
import { linkHtml } from "../telegram/format.ts";
import type { Command } from "./command.ts";

export const runs: Command = {
  name: "runs",
  usage: "/runs",
  about: "latest workflow runs",
  async run({ services: { github, now } }) {
    const found = await github.runs({ count: 10 });
    const lines = found.map(
      (run) =>
        `${withSign(run.conclusion ?? run.status)} ${linkHtml(run.name, run.url)} ${safe(run.branch, 40)} ${shortSha(run.sha)}, ${ago(run.updatedAt, now())}`,
    );
    const buttons = [
      ...(found.some(({ status }) => status === "waiting") ? [[commandButton("/approve")]] : []),
      ...found
        .filter(({ conclusion, fork }) => conclusion === "failure" && !fork)
        .slice(0, 2)
        .map(({ id }) => [commandButton(`/logs ${id}`)]),
      ...found
        .filter(({ status }) => status !== "completed")
        .slice(0, 2)
        .map(({ id }) => [commandButton(`/cancel ${id}`)]),
    ];
    return {
      html: ["<b>Latest runs</b>", ...(lines.length === 0 ? ["none yet"] : lines)].join("\n"),
      ...(buttons.length === 0 ? {} : { buttons }),
    };
  },
};
