import { checksPicture } from "../card/picture/checks-picture.ts";
import { decidingChecks, shownCheck } from "../card/deciding-checks.ts";
import type { BotContext } from "../context/context.ts";
import type { Button } from "../context/reply.ts";
import { ago, figure, safe, shortSha, withSign } from "../context/text.ts";
import { digestOf } from "../../github/registry/release.ts";
import { isRefusal } from "../../github/api.ts";
import { candidateOf, evidenceFor, type Candidate, type Evidence } from "../github/candidate.ts";
import { modelOf, stageOf } from "../github/environments.ts";
import type { Pending, Run } from "../github/github.ts";
import { liveVersion } from "../github/live.ts";
import { isLink, linkHtml } from "../telegram/format.ts";
import { deployedBy, type Deployed } from "./deployed-by.ts";

// Workflow runs that wait for an environment's approval on GitHub, and the messages that ask about them.

type Deps = Pick<BotContext, "bot" | "store" | "github" | "verdicts">;

/** One environment that a run waits for, what would be deployed there, and the evidence for exactly that. */
export type Subject = Evidence & {
  pending: Pending;
  model: string | null;
  /** null if no file that can be read names it. */
  version: string | null;
  /** The commit that is deployed; "" if it is not known. */
  sha: string;
};
export type WaitingRun = { run: Run; subjects: Subject[] };

/** The runs that wait for an environment's approval, with the evidence for what they deploy. */
export async function waitingRuns(deps: Deps): Promise<WaitingRun[]> {
  const runs = await deps.github.runs({ status: "waiting", count: 10 });
  const all = await Promise.all(
    runs.map((run) =>
      waitingRun(deps, run).catch((error: unknown) => {
        // A run that was deleted meanwhile must not hide the others.
        if (isRefusal(error)) return null;
        throw error;
      }),
    ),
  );
  return all.filter((one) => one !== null);
}

export async function waitingRun(deps: Deps, run: Run): Promise<WaitingRun> {
  const pending = (await deps.github.pending(run.id)).filter(
    ({ environment }) => stageOf(deps.bot, environment) !== null,
  );
  return { run, subjects: await Promise.all(pending.map((one) => subjectOf(deps, run, one))) };
}

/** What a run would deploy to one environment, and the evidence for it. Nothing that is unknown counts as passed. */
export async function subjectOf(deps: Deps, run: Run, pending: Pending): Promise<Subject> {
  const deployed = await deployedBy(deps, run, pending.environment);
  const found = deployed === null ? null : await evidenceOf(deps, deployed);
  if (found !== null) return { pending, ...found };
  return {
    pending,
    model: deployed?.model ?? modelOf(deps.bot, pending.environment),
    version: deployed?.kind === "version" ? deployed.version : null,
    sha: "",
    digest: digestOf(["unknown", String(run.id)]),
    verdict: "commit unknown",
    passed: false,
    source: deployed === null ? "the run does not tell what it deploys" : "the version has no tag",
    url: null,
    judged: null,
    receipt: null,
  };
}

async function evidenceOf(deps: Deps, deployed: Deployed): Promise<Omit<Subject, "pending"> | null> {
  if (deployed.kind === "version") return candidateOf(deps, deployed.model, deployed.version);
  const evidence = await evidenceFor(deps, deployed.sha, deployed.model);
  return {
    ...evidence,
    model: deployed.model,
    version: evidence.judged?.model.version ?? null,
    sha: deployed.sha,
  };
}

/** "mood 1.2.0", "mood", or what stands in for it; plain text. */
export function subjectName({ model, version, sha }: Pick<Subject, "model" | "version" | "sha">): string {
  const name = model ?? "a model";
  return version !== null ? `${name} ${version}` : sha === "" ? name : `${name} at ${sha.slice(0, 7)}`;
}

/** The figures that decided, a line each, in HTML. At most four lines, for a phone. */
export function figureLines({ judged, receipt }: Pick<Evidence, "judged" | "receipt">): string[] {
  if (judged !== null)
    return decidingChecks(judged)
      .map(shownCheck)
      .map(
        ({ name, verdict, observed, baseline, difference }) =>
          `• ${safe(name, 40)}: ${safe(observed, 24)}, ${baseline === "no baseline" ? "" : "was "}${safe(baseline, 24)}${difference === "" ? "" : ` (${safe(difference, 40)})`} ${withSign(verdict)}`,
      );
  return (receipt?.metrics ?? [])
    .slice(0, 3)
    .map(
      ({ metric, value, interval }) =>
        `• ${safe(metric, 24)}: ${figure(value)}${interval === null ? "" : ` [${figure(interval.low)}, ${figure(interval.high)}]`}`,
    );
}

type Surrounded = { model: string | null; environment: string; sha: string; url: string | null };

/** What is live there now, and the links to report and pull request, in HTML. */
export async function surroundingLines(
  { github, bot }: Pick<BotContext, "github" | "bot">,
  { model, environment, sha, url }: Surrounded,
  repositoryUrl: string | null,
): Promise<string[]> {
  const stage = stageOf(bot, environment);
  const [live, pulls] = await Promise.all([
    model === null || stage === null ? null : liveVersion(github, bot, stage, model),
    // Links are a help. A token that may not read pull requests must not stop an approval.
    sha === "" ? [] : github.pullRequestsOf(sha).catch(() => []),
  ]);
  const links = [
    ...(url !== null && isLink(url) ? [linkHtml("report", url)] : []),
    ...(repositoryUrl === null
      ? []
      : pulls.slice(0, 1).map((n) => linkHtml(`pull request ${n}`, `${repositoryUrl}/pull/${n}`))),
  ];
  return [
    ...(model === null
      ? []
      : [
          live === null
            ? "live now: nothing"
            : `live now: ${safe(live.deployment.payload.version, 40)} (${shortSha(live.deployment.sha)})`,
        ]),
    ...(links.length === 0 ? [] : [links.join(" · ")]),
  ];
}

/** The address of the repository's page, from that of a run. */
export const repositoryUrlOf = (runUrl: string): string | null => /^(.*)\/actions\/runs\/\d+/.exec(runUrl)?.[1] ?? null;

/** What people should see before they start a deployment or a rollback, a line of HTML each. */
export async function aboutCandidate(
  context: Pick<BotContext, "github" | "bot">,
  candidate: Candidate,
  environment: string,
): Promise<string[]> {
  const where = { ...candidate, environment };
  const repositoryUrl = candidate.url === null ? null : repositoryUrlOf(candidate.url);
  return [...figureLines(candidate), ...(await surroundingLines(context, where, repositoryUrl))];
}

/** One question about a waiting run: its first line, and what decides about it. In HTML. */
function subjectLines(run: Run, subject: Subject, around: readonly string[], now: number): string[] {
  const { pending, sha, verdict, digest, source } = subject;
  return [
    `🔔 <b>${safe(subjectName(subject), 80)}</b> waits for <b>${safe(pending.environment, 60)}</b>`,
    `${linkHtml(run.title, run.url)}, by ${safe(run.actor, 40)}, ${ago(run.createdAt, now)}`,
    sha === ""
      ? `❔ commit unknown: ${safe(source, 80)}`
      : `commit <code>${shortSha(sha)}</code> · gate: ${withSign(verdict)} · report <code>${safe(digest.slice(0, 12))}</code>`,
    ...figureLines(subject),
    ...around,
    ...(subject.passed
      ? []
      : [
          sha === ""
            ? `Not approved from here; look at ${linkHtml("the run", run.url)} on GitHub.`
            : "Only PASS is approved from here.",
        ]),
  ];
}

/**
 * Approve and Reject, in a row each. Both are bound to the run, what it deploys, and the evidence shown. `reason`: why to
 * reject, where somebody has said so already.
 */
export function reviewButtons(run: Run, { pending, passed, sha, digest }: Subject, reason?: string): Button[][] {
  const { environment, environmentId } = pending;
  const review = (decision: "approve" | "reject"): Button[] => [
    {
      text: `${decision === "approve" ? "Approve" : "Reject"} ${environment}`.slice(0, 60),
      callback: {
        kind: "review",
        decision,
        run: run.id,
        environment,
        environmentId,
        sha,
        digest,
        ...(reason === undefined || decision === "approve" ? {} : { reason }),
      },
      style: decision === "approve" ? "success" : "danger",
    },
  ];
  return [...(passed ? [review("approve")] : []), review("reject")];
}

/** A whole question with everything around it, for a message of the bot's own. */
export async function askAbout(
  context: Pick<BotContext, "github" | "bot" | "now">,
  { run, subjects }: WaitingRun,
  reason?: string,
): Promise<{ lines: string[]; buttons: Button[][]; picture?: string }> {
  const parts = await Promise.all(
    subjects.map(async (subject) => {
      const where = { ...subject, environment: subject.pending.environment };
      const around = await surroundingLines(context, where, repositoryUrlOf(run.url));
      return { lines: subjectLines(run, subject, around, context.now()), buttons: reviewButtons(run, subject, reason) };
    }),
  );
  if (parts.length === 0)
    return { lines: [`🔔 ${linkHtml(run.title, run.url)} waits for nothing that is listed`], buttons: [] };
  // A message has one picture; several candidates would need several.
  const judged = subjects.length === 1 ? (subjects[0]?.judged ?? null) : null;
  const picture = judged === null ? null : checksPicture(judged);
  return {
    lines: parts.flatMap(({ lines }) => lines),
    buttons: parts.flatMap(({ buttons }) => buttons),
    ...(picture === null ? {} : { picture }),
  };
}
