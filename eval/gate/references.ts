import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { gitIn, type Git } from "./git.ts";
import {
  fetchTags,
  gitCredentials,
  origin,
  resolveBase,
  resolveRef,
  type CommitDeps,
  type FindMergeBase,
} from "./commits.ts";
import type { RunContext } from "./event.ts";
import type { ProductionTags, ReleaseRecords } from "./releases.ts";

/** `production`: the last proved version is wanted, as of the commit. */
export type Baseline = "none" | { ref: string; production: boolean } | { dir: string };

export type ReferenceDeps = {
  env: NodeJS.ProcessEnv;
  /** Token for fetching commits that the clone lacks; null when there is none. */
  token: string | null;
  /** Asked only when the clone is shallow; null when GitHub cannot be asked. */
  findMergeBase: FindMergeBase | null;
  note: (text: string) => void;
};

/**
 * Finds what to compare with and whose thresholds count. Commits are present in the clone afterwards.
 *
 * @param choice the `baseline` input
 * @param root the checked-out repository, absolute
 * @throws EvaluationError when a commit cannot be found or fetched
 */
export async function prepareReferences(
  choice: string,
  situation: RunContext,
  root: string,
  deps: ReferenceDeps,
): Promise<{ baseline: Baseline; policyRef: string }> {
  const commits = await commitDeps(root, deps);
  // One after the other: two fetches at once would compete for the repository's shallow file.
  const baseline = await chooseBaseline(choice, situation, root, commits);
  const policyRef = await resolveBase(situation.policy, commits);
  return { baseline, policyRef };
}

async function chooseBaseline(
  choice: string,
  situation: RunContext,
  root: string,
  commits: CommitDeps,
): Promise<Baseline> {
  if (choice === "none") return "none";
  if (choice === "auto") return { ref: await resolveBase(situation.baseline, commits), production: true };
  const dir = resolve(root, choice);
  if (existsSync(dir)) return { dir };
  return { ref: await resolveRef(choice, commits), production: false };
}

/**
 * How a gate finds what production served: the tags are fetched where there is a remote, model by model. Where that does
 * not work, the report says so.
 */
export function releaseRecords(root: string, deps: ReferenceDeps, tags: ProductionTags): ReleaseRecords {
  return {
    ...tags,
    fetch: async (model) => fetchTags(`${tags.prefix(model)}*`, await commitDeps(root, deps)),
    findMergeBase: deps.findMergeBase,
  };
}

async function commitDeps(root: string, { env, token, findMergeBase, note }: ReferenceDeps): Promise<CommitDeps> {
  const git = gitIn(root, env);
  const remote = await remoteOf(git, env);
  const serverUrl = env["GITHUB_SERVER_URL"] ?? "https://github.com";
  return {
    git,
    note,
    fetching:
      remote === null
        ? null
        : { remote, git: gitIn(root, token === null ? env : { ...env, ...gitCredentials(serverUrl, token) }) },
    findMergeBase,
  };
}

async function remoteOf(git: Git, env: NodeJS.ProcessEnv): Promise<string | null> {
  const { code } = await git(["remote", "get-url", origin]);
  if (code === 0) return origin;
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = env;
  return server === undefined || name === undefined ? null : `${server}/${name}`;
}
