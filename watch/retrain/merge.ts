import { verdictFile, type ModelVerdict, type VerdictWord } from "../../eval/schema/verdict.ts";
import type { Configuration } from "../../eval/schema/configuration.ts";
import type { RepositoryApi } from "../../github/api.ts";
import { artifactZips } from "../../github/artifacts.ts";
import { readCommit } from "../../github/make-commit.ts";
import { mergePullRequest, requiredChecks } from "../../github/merging.ts";
import { pullRequestsFrom } from "../../github/pulls.ts";
import { latestRun, startWorkflow, type RunState } from "../../github/workflow-runs.ts";
import { readZipEntry } from "../../github/zip.ts";
import { branchOf, trailer } from "./propose.ts";

export type MergeRequest = {
  model: string;
  policy: Configuration["retrain"]["merge"];
  /** Branch that the candidate is merged into. */
  base: string;
  /** The gate's workflow file. */
  gate: string;
  /** Names of the gate's artifacts begin so. */
  artifact: string;
  /** A merge by an App starts workflows by itself; one by a job's own token starts none. */
  isApp: boolean;
};

export type MergeDeps = {
  now: () => number;
  sleep: (ms: number) => Promise<void>;
  /** How long the gate is waited for. */
  waitMs: number;
  /** To read the gate's runs and start it, where that takes another token. */
  runs?: RepositoryApi;
};

export type MergeOutcome = { result: "merged" | "not-configured" | "refused"; sha: string | null; words: string };

const pollMs = 15_000;
const maxVerdictBytes = 4 * 1024 * 1024;

/**
 * Merges a model's retrained candidate, where the base branch's configuration asks for it and everything holds: its pull
 * request is open and has the commit that a training made and nothing else; the base branch requires a check, so that
 * GitHub itself would refuse another candidate; the gate of exactly this commit has ended, and its verdict on this model
 * is PASS. Anything else is left to people, and said.
 */
export async function mergeWhenPassed(
  api: RepositoryApi,
  request: MergeRequest,
  deps: MergeDeps,
): Promise<MergeOutcome> {
  const { model, policy, base, gate } = request;
  const refused = (words: string): MergeOutcome => ({ result: "refused", sha: null, words: `Not merged: ${words}` });
  if (policy === "never")
    return {
      result: "not-configured",
      sha: null,
      words: "People merge: `retrain: {merge: pass}` is not in the base branch's configuration.",
    };
  const branch = branchOf(model);
  const pull = (await pullRequestsFrom(api, `${api.owner}:${branch}`)).find(({ state }) => state === "open");
  if (pull === undefined) return refused(`no pull request from ${branch} is open`);
  if (pull.base !== base) return refused(`#${pull.number} leads into ${pull.base}, not ${base}`);
  if (pull.draft) return refused(`#${pull.number} is a draft`);
  const { message } = await readCommit(api, pull.headSha);
  if (!trailer.test(message)) return refused(`#${pull.number} has a commit that no training made`);
  const checks = await requiredChecks(api, base);
  if (checks.length === 0)
    return refused(`${base} requires no check, so nothing would hold back a candidate that failed`);
  const runs = deps.runs ?? api;
  const run = await endedRun(runs, { file: gate, sha: pull.headSha }, deps);
  if (run === null) return refused(`${gate} has not ended on ${pull.headSha.slice(0, 7)}`);
  if (run.conclusion !== "success") return refused(`${gate} ended with ${run.conclusion}`);
  const verdict = await verdictOn(runs, run.id, request);
  if (verdict !== "PASS")
    return refused(verdict === null ? `${gate} left no verdict on ${model}` : `the verdict is ${verdict}`);
  const merged = await mergePullRequest(api, { number: pull.number, sha: pull.headSha });
  if ("refused" in merged) return refused(`GitHub refuses: ${merged.refused}`);
  // The push of a job's own token starts nothing: neither the gate on the base branch nor what follows it.
  if (!request.isApp) await startWorkflow(runs, { file: gate, ref: base });
  return { result: "merged", sha: merged.merged, words: `#${pull.number} is merged: its gate is PASS` };
}

async function endedRun(
  api: RepositoryApi,
  which: { file: string; sha: string },
  { now, sleep, waitMs }: MergeDeps,
): Promise<RunState | null> {
  for (const end = now() + waitMs; ;) {
    const run = await latestRun(api, which);
    if (run?.conclusion != null) return run;
    if (now() >= end) return null;
    await sleep(pollMs);
  }
}

/** The worst word on the model in the run's artifacts; null where none names it. */
async function verdictOn(
  api: RepositoryApi,
  run: number,
  { model, artifact }: Pick<MergeRequest, "model" | "artifact">,
): Promise<VerdictWord | null> {
  const found: ModelVerdict[] = [];
  for (const { zip } of await artifactZips(api, { run, prefix: artifact })) {
    const bytes = await readZipEntry(zip, "verdict.json", maxVerdictBytes);
    if (bytes === null) continue;
    const parsed = verdictFile.safeParse(JSON.parse(bytes.toString("utf8")));
    // A report that cannot be read may be the one that failed.
    if (!parsed.success) return "ERROR";
    found.push(...parsed.data.models.filter((one) => one.model.id === model));
  }
  return found.find(({ verdict }) => verdict !== "PASS")?.verdict ?? found[0]?.verdict ?? null;
}
