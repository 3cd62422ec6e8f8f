import type { BotContext } from "../context/context.ts";
import type { Button } from "../context/reply.ts";
import { ago, safe, shortSha, withSign } from "../context/text.ts";
import { evidenceFor } from "../github/candidate.ts";
import { stageOf } from "../github/environments.ts";
import type { GitHub, Pending, Run } from "../github/github.ts";
import { linkHtml } from "../telegram/format.ts";

// Workflow runs that wait for an environment's approval on GitHub, and the messages that ask about them.

export type WaitingRun = { run: Run; pending: Pending[]; evidence: Awaited<ReturnType<typeof evidenceFor>> };

/** The runs that wait for an environment's approval, with the evidence for their commits. */
export async function waitingRuns(github: GitHub, bot: BotContext["bot"]): Promise<WaitingRun[]> {
  const runs = await github.runs({ status: "waiting", count: 10 });
  return Promise.all(runs.map((run) => waitingRun(github, bot, run)));
}

export async function waitingRun(github: GitHub, bot: BotContext["bot"], run: Run): Promise<WaitingRun> {
  const pending = (await github.pending(run.id)).filter(({ environment }) => stageOf(bot, environment) !== null);
  return { run, pending, evidence: await evidenceFor(github, bot, run.sha) };
}

/** One waiting run as lines and buttons. Each button is bound to the run, its commit and the report shown above it. */
export function waitingLines(
  { run, pending, evidence }: WaitingRun,
  now: number,
): { lines: string[]; buttons: Button[][] } {
  const review = (decision: "approve" | "reject", { environment, environmentId }: Pending): Button => ({
    text: `${decision === "approve" ? "Approve" : "Reject"} ${environment}`.slice(0, 60),
    callback: {
      kind: "review",
      decision,
      run: run.id,
      environment,
      environmentId,
      sha: run.sha,
      digest: evidence.digest,
    },
    style: decision === "approve" ? "success" : "danger",
  });
  return {
    lines: [
      `🔔 ${linkHtml(run.title, run.url)} waits for ${safe(pending.map(({ environment }) => environment).join(", ") || "nothing that is listed", 80)}`,
      `  ${shortSha(run.sha)} by ${safe(run.actor, 40)}, ${ago(run.createdAt, now)}; gate: ${withSign(evidence.verdict)}; report <code>${safe(evidence.digest.slice(0, 12))}</code>`,
    ],
    buttons: pending.map((one) => [review("approve", one), review("reject", one)]),
  };
}
