import { sentOnce, statusOf, type RepositoryApi } from "./api.ts";

/** Names of the checks that a branch requires, by protection or by rulesets. None: whoever may write may merge anything. */
export async function requiredChecks({ octokit, owner, repo }: RepositoryApi, branch: string): Promise<string[]> {
  const { data } = await octokit.rest.repos.getBranch({ owner, repo, branch });
  const byProtection = data.protected ? (data.protection.required_status_checks?.contexts ?? []) : [];
  const rules = await octokit.rest.repos
    .getBranchRules({ owner, repo, branch, per_page: 100 })
    .catch((error: unknown) => {
      // An older GitHub Enterprise has no rulesets.
      if (statusOf(error) === 404) return null;
      throw error;
    });
  const byRules = (rules?.data ?? []).flatMap((rule) =>
    rule.type === "required_status_checks"
      ? (rule.parameters?.required_status_checks ?? []).map(({ context }) => context)
      : [],
  );
  return [...new Set([...byProtection, ...byRules])];
}

const methods = ["merge", "squash", "rebase"] as const;

/**
 * Merges a pull request if its head is still this commit, by the first method that the repository allows. GitHub itself
 * holds it to the branch's protection.
 *
 * @returns the commit; or why it is not merged, in GitHub's words
 */
export async function mergePullRequest(
  { octokit, owner, repo }: RepositoryApi,
  { number, sha }: { number: number; sha: string },
): Promise<{ merged: string } | { refused: string }> {
  let refused = "";
  for (const merge_method of methods)
    try {
      const request = { owner, repo, pull_number: number, sha, merge_method, ...sentOnce };
      return { merged: (await octokit.rest.pulls.merge(request)).data.sha };
    } catch (error) {
      const status = statusOf(error);
      refused = (error as Error).message;
      if (status === 405 && /not allowed on this repository/i.test(refused)) continue;
      if (status !== null && status < 500) return { refused };
      // The answer was lost. The pull request says what happened.
      const { data } = await octokit.rest.pulls.get({ owner, repo, pull_number: number });
      if (data.merged && data.merge_commit_sha !== null) return { merged: data.merge_commit_sha };
      return { refused };
    }
  return { refused };
}
