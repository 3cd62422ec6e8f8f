import { commandButton } from "../context/reply.ts";
import { safe, withSign } from "../context/text.ts";
import { failedSteps } from "../github/failed-steps.ts";
import { escapeHtml, inert, linkHtml, truncate } from "../telegram/format.ts";
import { usage, type Command } from "./command.ts";

/** Of the jobs that failed, and of each one's log: what a phone can show. */
const maxJobs = 3;
const maxLogLength = 900;

export const logs: Command = {
  name: "logs",
  usage: "/logs [RUN]",
  about: "why a run failed: its failed steps and what they printed last",
  async run({ services: { github }, args, acknowledge }) {
    const wanted = args[0];
    if (wanted !== undefined && !/^\d{1,15}$/.test(wanted))
      return usage(logs, `${safe(wanted)} is not a run's number.`, ["/runs"]);
    acknowledge("⏳ Reading the log…");
    const failed =
      wanted === undefined
        ? (await github.runs({ status: "completed", count: 30 })).find(({ conclusion }) => conclusion === "failure")
        : await github.run(Number(wanted));
    if (failed === undefined) return { html: "None of the latest runs failed.", buttons: [[commandButton("/runs")]] };
    const head = `${withSign(failed.conclusion ?? failed.status)} ${linkHtml(failed.name, failed.url)} ${safe(failed.title, 80)} (run ${failed.id})`;
    // A fork's jobs print what a stranger wants them to.
    if (failed.fork) return { html: `${head}\nThe run is of a fork: read its log on GitHub.` };
    const jobs = (await github.jobs(failed.id)).filter(({ conclusion }) => conclusion === "failure");
    if (jobs.length === 0) return { html: `${head}\nNone of its jobs failed.`, buttons: [[commandButton("/runs")]] };
    const parts = await Promise.all(
      jobs.slice(0, maxJobs).map(async (job) => {
        const log = await github.jobLog(job.id);
        return failedSteps(job, log).map(({ name, lines }) => {
          const text = inert(truncate(lines.join("\n"), maxLogLength));
          return `<b>${safe(job.name, 60)} · ${safe(name, 60)}</b>\n${text === "" ? "It printed nothing." : `<pre>${escapeHtml(text)}</pre>`}`;
        });
      }),
    );
    const more = jobs.length > maxJobs ? [`${jobs.length - maxJobs} more jobs failed.`] : [];
    return { html: [head, ...parts.flat(), ...more].join("\n") };
  },
};
