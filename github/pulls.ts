import { sentOnce, type RepositoryApi } from "./api.ts";

type OpenPullRequest = { number: number; headSha: string; baseSha: string };

/** Open pull requests whose head is OWNER:BRANCH. */
export async function openPullRequests(
  { octokit, owner, repo }: RepositoryApi,
  head: string,
): Promise<OpenPullRequest[]> {
  const { data } = await octokit.rest.pulls.list({ owner, repo, state: "open", head, per_page: 100 });
  return data.map((pull) => ({ number: pull.number, headSha: pull.head.sha, baseSha: pull.base.sha }));
}

/** Pull requests that a commit belongs to, merged ones too. */
export async function pullRequestsOf({ octokit, owner, repo }: RepositoryApi, commit: string): Promise<number[]> {
  const { data } = await octokit.rest.repos.listPullRequestsAssociatedWithCommit({
    owner,
    repo,
    commit_sha: commit,
    per_page: 10,
  });
  return data.map(({ number }) => number);
}

export type PullRequestOf = {
  number: number;
  url: string;
  title: string;
  body: string;
  headSha: string;
  /** Branch that it leads into. */
  base: string;
  draft: boolean;
  state: "open" | "closed" | "merged";
};

/** Pull requests whose head is OWNER:BRANCH, closed and merged ones too; newest first. */
export async function pullRequestsFrom(
  { octokit, owner, repo }: RepositoryApi,
  head: string,
): Promise<PullRequestOf[]> {
  const { data } = await octokit.rest.pulls.list({ owner, repo, state: "all", head, per_page: 100 });
  return data.map((pull) => ({
    number: pull.number,
    url: pull.html_url,
    title: pull.title,
    body: pull.body ?? "",
    headSha: pull.head.sha,
    base: pull.base.ref,
    draft: pull.draft === true,
    state: pull.merged_at != null ? "merged" : pull.state === "open" ? "open" : "closed",
  }));
}

type PullRequestText = { title: string; body: string };

export async function createPullRequest(
  { octokit, owner, repo }: RepositoryApi,
  { head, base, title, body }: PullRequestText & { head: string; base: string },
): Promise<{ number: number; url: string }> {
  const { data } = await octokit.rest.pulls.create({ owner, repo, head, base, title, body, ...sentOnce });
  return { number: data.number, url: data.html_url };
}

export async function describePullRequest(
  { octokit, owner, repo }: RepositoryApi,
  pull_number: number,
  { title, body }: PullRequestText,
): Promise<void> {
  await octokit.rest.pulls.update({ owner, repo, pull_number, title, body });
}
