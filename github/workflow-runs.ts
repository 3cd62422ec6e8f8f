import { sentOnce, type RepositoryApi } from "./api.ts";

/** How many runs of a workflow there are for a commit. */
export async function countRuns(
  { octokit, owner, repo }: RepositoryApi,
  { file, sha }: { file: string; sha: string },
): Promise<number> {
  const { data } = await octokit.rest.actions.listWorkflowRuns({
    owner,
    repo,
    workflow_id: file,
    head_sha: sha,
    per_page: 10,
  });
  return data.workflow_runs.filter((run) => run.head_sha === sha).length;
}

/** Starts a workflow by hand on a branch. It must have the trigger workflow_dispatch on the default branch. */
export async function startWorkflow(
  { octokit, owner, repo }: RepositoryApi,
  { file, ref }: { file: string; ref: string },
): Promise<void> {
  await octokit.rest.actions.createWorkflowDispatch({ owner, repo, workflow_id: file, ref, ...sentOnce });
}

/** `conclusion`: null while it runs. */
export type RunState = { id: number; conclusion: string | null };

/** The newest run of a workflow for a commit; null if there is none. */
export async function latestRun(
  { octokit, owner, repo }: RepositoryApi,
  { file, sha }: { file: string; sha: string },
): Promise<RunState | null> {
  const { data } = await octokit.rest.actions.listWorkflowRuns({
    owner,
    repo,
    workflow_id: file,
    head_sha: sha,
    per_page: 10,
  });
  const [run] = data.workflow_runs.filter((one) => one.head_sha === sha).toSorted((a, b) => b.id - a.id);
  return run === undefined ? null : { id: run.id, conclusion: run.status === "completed" ? run.conclusion : null };
}
