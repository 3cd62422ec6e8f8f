import { z } from "zod";
import { openPullRequests } from "../../../github/pulls.ts";
import type { Connection } from "../connection.ts";
import { readEvent, type PullRequest } from "../../../eval/gate/event.ts";

const workflowRunEvent = z.object({
  workflow_run: z.object({
    event: z.string(),
    head_sha: z.string(),
    head_branch: z.string(),
    head_repository: z.object({ owner: z.object({ login: z.string() }) }),
  }),
});

export type Target = {
  pullRequest: PullRequest | null;
  silence: string | null;
  /**
   * The commits of the pull request whose run is reported on from a workflow of the base repository; null if the run
   * reports on itself.
   */
  foreign: { base: string; head: string } | null;
};

/**
 * Finds the pull request that a report is for. It trusts the event that GitHub wrote, never the report's own files. The
 * list of pull requests in a workflow_run event is empty for forks, so there it finds the open one with the same branch
 * and head commit.
 */
export async function findTarget(
  name: string,
  payload: unknown,
  env: { sha: string; ref: string },
  github: Connection,
): Promise<Target> {
  if (name !== "workflow_run") {
    const { pullRequest, silence } = readEvent(name, payload, env.sha, env.ref);
    return { pullRequest, silence, foreign: null };
  }
  const { workflow_run: run } = workflowRunEvent.parse(payload);
  if (run.event !== "pull_request")
    return {
      pullRequest: null,
      silence: `the workflow ran for ${run.event}, which has no pull request`,
      foreign: null,
    };
  const api = await github();
  if (api === null) return { pullRequest: null, silence: "there is no token", foreign: null };
  const open = await openPullRequests(api, `${run.head_repository.owner.login}:${run.head_branch}`);
  const found = open.find(({ headSha }) => headSha === run.head_sha);
  return found === undefined
    ? { pullRequest: null, silence: "no open pull request has this commit any more", foreign: null }
    : // This workflow runs with the base repository's own token, so it can comment on a fork's pull request.
      {
        pullRequest: { number: found.number, fork: false },
        silence: null,
        foreign: { base: found.baseSha, head: found.headSha },
      };
}
