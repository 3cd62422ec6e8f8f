import { hash } from "node:crypto";
import { isRefusal, statusOf, type RepositoryApi } from "../../github/api.ts";
import { makeCommit, readCommit } from "../../github/make-commit.ts";
import { createPullRequest, describePullRequest, pullRequestsFrom } from "../../github/pulls.ts";
import { createRef, findRef, moveRef } from "../../github/refs.ts";
import { countRuns, startWorkflow } from "../../github/workflow-runs.ts";
import { EvaluationError } from "../../models/core/errors.ts";
import { headline, quoted, trainingMarkdown } from "./report.ts";
import type { RetrainOutcome } from "./retrain.ts";

export type Proposal = {
  outcome: RetrainOutcome;
  /** Path from the repository's top level → content; empty unless the result is `candidate`. */
  files: ReadonlyMap<string, Uint8Array>;
  reason: string;
  /** report.md of the watch; null without one. */
  watchReport: string | null;
  /** Branch and commit that the candidate was trained from. */
  base: { branch: string; sha: string };
  /** Of the run that trained it; null outside a workflow. */
  runUrl: string | null;
  /** Workflow file to start on the branch; null where the pull request starts the gate by itself. */
  gate: string | null;
};

export type ProposeOutcome = {
  result: "opened" | "updated" | "nothing" | "closed";
  pull: number | null;
  url: string | null;
  sha: string | null;
  gateStarted: boolean;
  words: string;
};

export const branchOf = (model: string) => `retrain/${model}`;
export const trailer = /^Sluice-Retrain: ([0-9a-f]{64})$/m;
/** Longest report of the watch in a pull request; GitHub takes 65,536 characters in all. */
const reportCharacters = 20_000;

function digestOf(files: ReadonlyMap<string, Uint8Array>): string {
  const lines = [...files].map(([path, content]) => `${path}\0${hash("sha256", content)}`).toSorted();
  return hash("sha256", lines.join("\n"));
}

/**
 * Puts a candidate on the model's one branch and keeps one pull request open for it. Every step looks first at what is
 * there, so that a run that was killed anywhere is finished by the next, and a second run of the same changes nothing.
 *
 * - The branch holds one commit on top of the base. It is replaced when the candidate is another; never when somebody
 *   else has committed there.
 * - A pull request that a person closed stays closed until there is another candidate.
 *
 * @throws EvaluationError `retrain-branch`, `retrain-pull-refused`, `retrain-gate`
 */
export async function propose(api: RepositoryApi, proposal: Proposal): Promise<ProposeOutcome> {
  const { outcome } = proposal;
  const branch = branchOf(outcome.model);
  const sha = await branchHead(api, branch, proposal);
  const none = { pull: null, url: null, sha, gateStarted: false };
  if (sha === null) return { ...none, result: "nothing", words: headline(outcome) };
  const pulls = await pullRequestsFrom(api, `${api.owner}:${branch}`);
  const open = pulls.find(({ state }) => state === "open");
  const ended = pulls.find(({ state, headSha }) => state !== "open" && headSha === sha);
  if (open === undefined && ended !== undefined)
    return {
      ...none,
      pull: ended.number,
      url: ended.url,
      result: "closed",
      words: `#${ended.number} with this candidate was ${ended.state}; another one opens another pull request`,
    };
  // Of a candidate that waits, its own pull request says more than a run that trained nothing.
  const text = outcome.result === "candidate" || open === undefined ? await describe(api, sha, proposal) : null;
  let pull: { number: number; url: string };
  if (open === undefined) pull = await opened(api, branch, proposal, text!);
  else {
    pull = open;
    if (text !== null && (open.title !== text.title || open.body !== text.body))
      await describePullRequest(api, open.number, text);
  }
  const gateStarted = await startGate(api, branch, sha, proposal.gate);
  const result = open === undefined ? "opened" : "updated";
  return {
    result,
    pull: pull.number,
    url: pull.url,
    sha,
    gateStarted,
    words: `#${pull.number} ${result === "opened" ? "opened" : "is open"}: ${pull.url}${gateStarted ? `, and ${proposal.gate} started on ${branch}` : ""}`,
  };
}

/** The branch's commit with the candidate; null when there is nothing to propose. */
async function branchHead(api: RepositoryApi, branch: string, proposal: Proposal): Promise<string | null> {
  const { outcome, files, base } = proposal;
  const name = `refs/heads/${branch}`;
  const ref = await findRef(api, name);
  const there = ref === null ? null : await readCommit(api, ref.sha);
  const marked = there === null ? null : (trailer.exec(there.message)?.[1] ?? null);
  if (ref !== null && marked === null)
    throw new EvaluationError({
      code: "retrain-branch",
      place: branch,
      problem: "the branch holds a commit that no training made, and it is not overwritten",
      expected: "one commit of `sluice retrain` on top of the base",
      received: ref.sha,
      hint: "merge or delete the branch; the next run makes it anew",
    });
  if (outcome.result !== "candidate") return outcome.result === "current" ? (ref?.sha ?? null) : null;
  const digest = digestOf(files);
  if (ref !== null && marked === digest) return ref.sha;
  const sha = await makeCommit(api, { parent: base.sha, files, message: messageOf(outcome, digest) });
  if (ref === null && (await createRef(api, name, sha))) return sha;
  await moveRef(api, name, sha);
  return sha;
}

const messageOf = (outcome: RetrainOutcome, digest: string) =>
  `Retrain ${outcome.model}: ${outcome.version}\n\n${trainingMarkdown(outcome).replaceAll("`", "")}\n\nSluice-Retrain: ${digest}`;

async function describe(
  api: RepositoryApi,
  sha: string,
  { outcome, reason, watchReport, runUrl }: Proposal,
): Promise<{ title: string; body: string }> {
  const why = [`**Why:** ${reason === "" ? "new data or code of the training" : quoted(reason, 500)}`];
  const from = runUrl === null ? [] : [`[The run that trained it](${runUrl}) keeps its log.`];
  if (outcome.result !== "candidate") {
    // A run before this one was ended between its commit and its pull request. The commit says what it is.
    const [subject = "", , ...rest] = (await readCommit(api, sha)).message.split("\n");
    return { title: subject, body: [...why, rest.join("\n").replace(trailer, "").trim(), ...from].join("\n\n") };
  }
  const report =
    watchReport === null
      ? []
      : [
          `<details><summary>What the watch reported</summary>\n\n${quoted(watchReport, reportCharacters)}\n\n</details>`,
        ];
  return {
    title: `Retrain ${outcome.model}: ${outcome.version}`,
    body: [
      `${headline(outcome)}. The gate judges it like every other candidate; nothing merges by itself.`,
      ...why,
      trainingMarkdown(outcome),
      ...report,
      ...from,
    ].join("\n\n"),
  };
}

async function opened(
  api: RepositoryApi,
  branch: string,
  { base }: Proposal,
  text: { title: string; body: string },
): Promise<{ number: number; url: string }> {
  try {
    return await createPullRequest(api, { head: branch, base: base.branch, ...text });
  } catch (error) {
    // An answer that was lost, or another run: it may be there.
    const there = (await pullRequestsFrom(api, `${api.owner}:${branch}`)).find(({ state }) => state === "open");
    if (there !== undefined) return there;
    if (statusOf(error) !== 403) throw error;
    throw new EvaluationError(
      {
        code: "retrain-pull-refused",
        place: branch,
        problem: "the candidate is on its branch, but the pull request may not be opened with this token",
        expected:
          "Settings → Actions → General → Allow GitHub Actions to create and approve pull requests, and `pull-requests: write`",
        received: (error as Error).message,
        hint: "or the token of a GitHub App: docs/retrain.md",
      },
      { cause: error },
    );
  }
}

/** A pull request that was opened with a job's own token starts no workflow; the gate is started by hand, once. */
async function startGate(api: RepositoryApi, branch: string, sha: string, gate: string | null): Promise<boolean> {
  if (gate === null || (await countRuns(api, { file: gate, sha })) > 0) return false;
  try {
    await startWorkflow(api, { file: gate, ref: branch });
    return true;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new EvaluationError(
      {
        code: "retrain-gate",
        place: gate,
        problem: "the pull request is open, but its gate cannot be started",
        expected: "the trigger `workflow_dispatch:` in the gate's workflow, and `actions: write` for this job",
        received: (error as Error).message,
        hint: "or the token of a GitHub App, whose pull requests start workflows: docs/retrain.md",
      },
      { cause: error },
    );
  }
}
