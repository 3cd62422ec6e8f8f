import { evidenceFor } from "../github/candidate.ts";
import { stageOf } from "../github/environments.ts";
import type { GitHub, Pending, Run } from "../github/github.ts";
import { linkHtml } from "../telegram/format.ts";
import type { Button, Command, Outcome, BotContext } from "../context/command.ts";
import { commandButton, usage } from "../commands/usage.ts";
import { ago, marked, safe, short } from "../context/text.ts";

export type WaitingRun = { run: Run; pending: Pending[]; evidence: Awaited<ReturnType<typeof evidenceFor>> };

/** Runs that wait for an environment's approval, with the evidence for their commits. */
export async function waitingRuns(github: GitHub, bot: BotContext["bot"]): Promise<WaitingRun[]> {
  const runs = await github.runs({ status: "waiting", count: 10 });
  return Promise.all(runs.map((run) => waitingRun(github, bot, run)));
}

export async function waitingRun(github: GitHub, bot: BotContext["bot"], run: Run): Promise<WaitingRun> {
  const pending = (await github.pending(run.id)).filter(({ environment }) => stageOf(bot, environment) !== null);
  return { run, pending, evidence: await evidenceFor(github, bot, run.sha) };
}

/**
 * One waiting run as lines and buttons. Each button is bound to the run, the commit and the report that it stands
 * under.
 */
export function waitingLines(
  { run, pending, evidence }: WaitingRun,
  now: number,
): { lines: string[]; buttons: Button[][] } {
  const review = (decision: "approve" | "reject", { environment, environmentId }: Pending): Button => ({
    text: `${decision === "approve" ? "Approve" : "Reject"} ${environment}`.slice(0, 60),
    press: { kind: "review", decision, run: run.id, environment, environmentId, sha: run.sha, digest: evidence.digest },
    style: decision === "approve" ? "success" : "danger",
  });
  return {
    lines: [
      `🔔 ${linkHtml(run.title, run.url)} waits for ${safe(pending.map(({ environment }) => environment).join(", ") || "nothing that is listed", 80)}`,
      `  ${short(run.sha)} by ${safe(run.actor, 40)}, ${ago(run.createdAt, now)}; gate: ${marked(evidence.verdict)}; report <code>${safe(evidence.digest.slice(0, 12))}</code>`,
    ],
    buttons: pending.map((one) => [review("approve", one), review("reject", one)]),
  };
}

async function list({ github, bot, now }: BotContext, command: Command, wanted: string | undefined): Promise<Outcome> {
  if (wanted !== undefined && !/^\d{1,15}$/.test(wanted))
    return usage(command, `${safe(wanted)} is not a run's number.`, [`/${command.name}`]);
  const waiting = (await waitingRuns(github, bot)).filter(
    ({ run }) => wanted === undefined || run.id === Number(wanted),
  );
  if (waiting.length === 0)
    return {
      html:
        wanted === undefined ? "No run waits for an approval." : `Run ${safe(wanted)} does not wait for an approval.`,
      buttons: [[commandButton("/runs")]],
    };
  const shown = waiting.slice(0, 4).map((one) => waitingLines(one, now()));
  return { html: shown.flatMap(({ lines }) => lines).join("\n"), buttons: shown.flatMap(({ buttons }) => buttons) };
}

export const approve: Command = {
  name: "approve",
  usage: "/approve [RUN]",
  about: "runs that wait, to approve or reject",
  run: (context, { args }) => list(context, approve, args[0]),
};
export const reject: Command = {
  name: "reject",
  usage: "/reject [RUN]",
  about: "runs that wait, to reject or approve",
  run: (context, { args }) => list(context, reject, args[0]),
};
