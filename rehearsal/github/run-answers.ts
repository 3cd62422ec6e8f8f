import type { ArtifactRecord, JobRecord, RunRecord } from "../executor/platform.ts";
import { commitAnswer } from "./git-answers.ts";
import { type Environment, type Json, type Repository, userOf, type World } from "./world.ts";

const apiOf = ({ origin }: World, { fullName }: Repository) => `${origin}/repos/${fullName}`;

/** Ids of workflow files, stable for the lifetime of this GitHub. */
const numbers = new WeakMap<Repository, string[]>();
export function workflowId(repository: Repository, file: string): number {
  const files = numbers.get(repository) ?? [];
  numbers.set(repository, files);
  if (!files.includes(file)) files.push(file);
  return 100 + files.indexOf(file);
}

export async function runAnswer(world: World, repository: Repository, run: RunRecord): Promise<Json> {
  const api = apiOf(world, repository);
  const url = `${api}/actions/runs/${run.id}`;
  const head =
    [...world.repositories.values()].find(({ resource }) => resource.id === run.headRepository.id) ?? repository;
  const { sha, commit } = commitAnswer(world, head, await head.git.commit(run.headSha)) as {
    sha: string;
    commit: {
      tree: { sha: string };
      message: string;
      author: { name: string; email: string; date: string };
      committer: { name: string; email: string };
    };
  };
  const who = ({ name, email }: { name: string; email: string }) => ({ name, email });
  const same = (world.executor?.runs ?? []).filter(
    (other) => other.repository === run.repository && other.workflowFile === run.workflowFile,
  );
  const small = (of: Repository) => ({ id: of.resource.id, url: apiOf(world, of), name: of.name });
  // GitHub lists no pull requests on the runs of a fork.
  const pulls = run.headRepository.fork ? [] : run.pullRequests.flatMap((number) => repository.pulls.get(number) ?? []);
  return {
    id: run.id,
    node_id: `WFR_${run.id}`,
    name: run.workflowName,
    path: `.github/workflows/${run.workflowFile}`,
    workflow_id: workflowId(repository, run.workflowFile),
    workflow_url: `${api}/actions/workflows/${workflowId(repository, run.workflowFile)}`,
    check_suite_id: run.id,
    check_suite_node_id: `CS_${run.id}`,
    run_number: same.findIndex(({ id }) => id === run.id) + 1,
    run_attempt: run.attempt,
    display_title: run.displayTitle,
    status: run.status,
    conclusion: run.conclusion,
    head_sha: run.headSha,
    head_branch: run.headBranch,
    event: run.event,
    actor: userOf(world, run.actor),
    triggering_actor: userOf(world, run.actor),
    html_url: `${world.origin}/${repository.fullName}/actions/runs/${run.id}`,
    url,
    pull_requests: pulls.map((pull) => ({
      id: pull.number,
      number: pull.number,
      url: `${api}/pulls/${pull.number}`,
      head: { ref: pull.headRef, sha: pull.headSha, repo: small(pull.headRepository) },
      base: { ref: pull.baseRef, sha: pull.baseSha, repo: small(repository) },
    })),
    created_at: run.createdAt,
    updated_at: run.updatedAt,
    run_started_at: run.createdAt,
    previous_attempt_url: null,
    referenced_workflows: [],
    head_commit: {
      id: sha,
      tree_id: commit.tree.sha,
      message: commit.message,
      timestamp: commit.author.date,
      author: who(commit.author),
      committer: who(commit.committer),
    },
    repository: repository.resource,
    head_repository: head.resource,
    ...Object.fromEntries(
      ["jobs", "logs", "cancel", "rerun", "artifacts"].map((name) => [`${name}_url`, `${url}/${name}`]),
    ),
    check_suite_url: `${api}/check-suites/${run.id}`,
  };
}

export function jobAnswer(world: World, repository: Repository, run: RunRecord, job: JobRecord): Json {
  const api = apiOf(world, repository);
  return {
    id: job.id,
    node_id: `CR_${job.id}`,
    run_id: run.id,
    run_url: `${api}/actions/runs/${run.id}`,
    run_attempt: run.attempt,
    head_sha: run.headSha,
    head_branch: run.headBranch,
    workflow_name: run.workflowName,
    name: job.name,
    url: `${api}/actions/jobs/${job.id}`,
    html_url: `${world.origin}/${repository.fullName}/actions/runs/${run.id}/job/${job.id}`,
    status: job.status,
    conclusion: job.conclusion,
    created_at: run.createdAt,
    started_at: job.startedAt ?? run.createdAt,
    completed_at: job.completedAt,
    steps: job.steps.map(({ name, number, status, conclusion, startedAt, completedAt }) => ({
      name,
      number,
      status,
      conclusion,
      started_at: startedAt,
      completed_at: completedAt,
    })),
    check_run_url: `${api}/check-runs/${job.id}`,
    labels: ["ubuntu-24.04"],
    runner_id: null,
    runner_name: null,
    runner_group_id: null,
    runner_group_name: null,
  };
}

export function artifactAnswer(
  world: World,
  repository: Repository,
  run: RunRecord,
  { id, name, sizeBytes, digest, createdAt, expired }: ArtifactRecord,
): Json {
  const url = `${apiOf(world, repository)}/actions/artifacts/${id}`;
  const head =
    [...world.repositories.values()].find(({ resource }) => resource.id === run.headRepository.id) ?? repository;
  return {
    id,
    node_id: `A_${id}`,
    name,
    size_in_bytes: sizeBytes,
    digest,
    url,
    archive_download_url: `${url}/zip`,
    expired,
    created_at: createdAt,
    updated_at: createdAt,
    expires_at: new Date(Date.parse(createdAt) + 90 * 86_400_000).toISOString(),
    workflow_run: {
      id: run.id,
      repository_id: repository.resource.id,
      head_repository_id: head.resource.id,
      head_branch: run.headBranch,
      head_sha: run.headSha,
    },
  };
}

/** An environment in the format in which a run or a review refers to it. */
export function environmentLink(
  world: World,
  repository: Repository,
  { id, name, createdAt, updatedAt }: Pick<Environment, "id" | "name" | "createdAt" | "updatedAt">,
): Json {
  return {
    id,
    node_id: `EN_${id}`,
    name,
    url: `${apiOf(world, repository)}/environments/${encodeURIComponent(name)}`,
    html_url: `${world.origin}/${repository.fullName}/deployments/activity_log?environments_filter=${encodeURIComponent(name)}`,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}
