import { createClient } from "../../actions/gate/client.ts";

export type Comment = { id: number; body: string; author: string };
export type Status = {
  state: "error" | "failure" | "inactive" | "in_progress" | "queued" | "pending" | "success";
  description: string;
  logUrl: string;
  environmentUrl: string;
};

/** The few calls that remembering a card takes, each in GitHub's own words. */
export type GitHub = {
  /** Who the token is, without "[bot]". */
  whoAmI: () => Promise<string>;
  comments: (pullRequest: number) => AsyncIterable<Comment[]>;
  createComment: (pullRequest: number, body: string) => Promise<void>;
  updateComment: (id: number, body: string) => Promise<void>;
  /** Pull requests that a commit belongs to, merged ones too. */
  pullRequestsOf: (commit: string) => Promise<number[]>;
  /** The open pull request with this very head; null when there is none any more. */
  openPullRequestOf: (head: { owner: string; branch: string; commit: string }) => Promise<number | null>;
  /** Latest first. */
  statuses: (deployment: number) => Promise<Status[]>;
  addStatus: (deployment: number, status: Status) => Promise<void>;
};

export type GitHubDeps = { token: string; repository: string; env: NodeJS.ProcessEnv; log: (text: string) => void };

/** GitHub through Octokit, with the gate's bounded retries and timeouts. */
export function connectGitHub({ token, repository, env, log }: GitHubDeps): GitHub {
  const octokit = createClient({ token, env, log });
  const [owner = "", repo = ""] = repository.split("/");
  const where = { owner, repo };
  return {
    async whoAmI() {
      const { viewer } = await octokit.graphql<{ viewer: { login: string } }>("query { viewer { login } }");
      return withoutSuffix(viewer.login);
    },
    async *comments(pullRequest) {
      for await (const { data } of octokit.paginate.iterator(octokit.rest.issues.listComments, {
        ...where,
        issue_number: pullRequest,
        per_page: 100,
      })) {
        yield data.map((one) => ({ id: one.id, body: one.body ?? "", author: withoutSuffix(one.user?.login ?? "") }));
      }
    },
    async createComment(pullRequest, body) {
      await octokit.rest.issues.createComment({ ...where, issue_number: pullRequest, body, request: { retries: 0 } });
    },
    async updateComment(id, body) {
      await octokit.rest.issues.updateComment({ ...where, comment_id: id, body });
    },
    async pullRequestsOf(commit) {
      const { data } = await octokit.rest.repos.listPullRequestsAssociatedWithCommit({
        ...where,
        commit_sha: commit,
        per_page: 10,
      });
      return data.map((one) => one.number);
    },
    async openPullRequestOf({ owner: headOwner, branch, commit }) {
      const { data } = await octokit.rest.pulls.list({
        ...where,
        state: "open",
        head: `${headOwner}:${branch}`,
        per_page: 100,
      });
      return data.find((one) => one.head.sha === commit)?.number ?? null;
    },
    async statuses(deployment) {
      const { data } = await octokit.rest.repos.listDeploymentStatuses({
        ...where,
        deployment_id: deployment,
        per_page: 100,
      });
      return data.map((one) => ({
        state: one.state,
        description: one.description ?? "",
        logUrl: one.log_url ?? "",
        environmentUrl: one.environment_url ?? "",
      }));
    },
    async addStatus(deployment, { state, description, logUrl, environmentUrl }) {
      await octokit.rest.repos.createDeploymentStatus({
        ...where,
        deployment_id: deployment,
        state,
        description,
        auto_inactive: false,
        request: { retries: 0 },
        ...(logUrl === "" ? {} : { log_url: logUrl }),
        ...(environmentUrl === "" ? {} : { environment_url: environmentUrl }),
      });
    },
  };
}

function withoutSuffix(login: string): string {
  return login.replace(/\[bot\]$/, "");
}
