import type { getOctokit } from "@actions/github";
import { createClient } from "./client.ts";

export type Octokit = ReturnType<typeof getOctokit>;
export type Repository = { owner: string; repo: string };

/** What a sticky comment needs of GitHub. */
export type Comment = { id: number; body: string; author: string; url: string };

export type TreeEntry = { mode: string; sha: string; folder: boolean };

/** The few calls that the gate makes, each with GitHub's own words for it. */
export type GitHub = {
  mergeBase(base: string, head: string): Promise<string>;
  /** Who the token is, without "[bot]". */
  whoAmI(): Promise<string>;
  comments(pullRequest: number): AsyncIterable<Comment[]>;
  createComment(pullRequest: number, body: string): Promise<Comment>;
  updateComment(id: number, body: string): Promise<Comment>;
  /** Open pull requests whose head is OWNER:BRANCH. */
  openPullRequests(head: string): Promise<{ number: number; headSha: string; baseSha: string }[]>;
  /** What lies in a tree, which may be named by its commit: entry by name. */
  tree(sha: string): Promise<ReadonlyMap<string, TreeEntry>>;
};

export type GitHubDeps = { token: string; repository: Repository; env: NodeJS.ProcessEnv; log: (text: string) => void };

/** GitHub through Octokit, with bounded retries and timeouts (client.ts). */
export function connectGitHub({ token, repository, env, log }: GitHubDeps): GitHub {
  const octokit = createClient({ token, env, log });
  const { owner, repo } = repository;
  return {
    async mergeBase(base, head) {
      // The comparison itself is not wanted; one commit per page keeps the answer small.
      const { data } = await octokit.rest.repos.compareCommitsWithBasehead({
        owner,
        repo,
        basehead: `${base}...${head}`,
        per_page: 1,
      });
      return data.merge_base_commit.sha;
    },
    async whoAmI() {
      // GET /user is closed to the workflow's token; GraphQL's viewer answers for every kind of token.
      const { viewer } = await octokit.graphql<{ viewer: { login: string } }>("query { viewer { login } }");
      return withoutSuffix(viewer.login);
    },
    async *comments(pullRequest) {
      const pages = octokit.paginate.iterator(octokit.rest.issues.listComments, {
        owner,
        repo,
        issue_number: pullRequest,
        per_page: 100,
      });
      for await (const { data } of pages) yield data.map(toComment);
    },
    async createComment(pullRequest, body) {
      // A retried POST could leave two comments behind; the caller looks first, then tries again.
      const { data } = await octokit.rest.issues.createComment({
        owner,
        repo,
        issue_number: pullRequest,
        body,
        request: { retries: 0 },
      });
      return toComment(data);
    },
    async updateComment(id, body) {
      const { data } = await octokit.rest.issues.updateComment({ owner, repo, comment_id: id, body });
      return toComment(data);
    },
    async openPullRequests(head) {
      const { data } = await octokit.rest.pulls.list({ owner, repo, state: "open", head, per_page: 100 });
      return data.map((pull) => ({ number: pull.number, headSha: pull.head.sha, baseSha: pull.base.sha }));
    },
    async tree(sha) {
      const { data } = await octokit.rest.git.getTree({ owner, repo, tree_sha: sha });
      if (data.truncated) throw new Error(`GitHub shows only a part of the tree ${sha}`);
      return new Map(data.tree.map((one) => [one.path, { mode: one.mode, sha: one.sha, folder: one.type === "tree" }]));
    },
  };
}

function toComment(data: { id: number; body?: string; user: { login: string } | null; html_url: string }): Comment {
  return { id: data.id, body: data.body ?? "", author: withoutSuffix(data.user?.login ?? ""), url: data.html_url };
}

/** REST writes github-actions[bot] where GraphQL may write github-actions. */
function withoutSuffix(login: string): string {
  return login.replace(/\[bot\]$/, "");
}
