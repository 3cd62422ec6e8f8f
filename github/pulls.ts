import type { RepositoryApi } from "./api.ts";

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
