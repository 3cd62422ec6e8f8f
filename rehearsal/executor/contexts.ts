import type { Platform, RunRecord, TriggerEvent } from "./platform.ts";
import type { Contexts, Json } from "./expressions.ts";

/** A workflow file at a commit: the source of job.workflow_repository, job.workflow_sha and the workflow refs. */
export type WorkflowSource = { repository: string; sha: string; ref: string; path: string };
export const workflowRef = (source: WorkflowSource): string => `${source.repository}/${source.path}@${source.ref}`;

export type RunFacts = { event: TriggerEvent; run: RunRecord; number: number; source: WorkflowSource };

const refName = (ref: string) => ref.replace(/^refs\/(heads|tags|pull)\//, "");

/** The `github` context of a run, without the fields that belong to a job. */
export function githubContext({ event, run, number, source }: RunFacts, platform: Platform): Record<string, Json> {
  const repository = (event.payload["repository"] ?? {}) as { id?: number; owner?: { id?: number } };
  return {
    event: event.payload as Json,
    event_name: event.name,
    repository: event.repository,
    repository_owner: event.repository.split("/")[0] as string,
    repository_id: String(repository.id ?? ""),
    repository_owner_id: String(repository.owner?.id ?? ""),
    repositoryUrl: `${platform.serverUrl.replace(/^https?/, "git")}/${event.repository}.git`,
    sha: event.sha,
    ref: event.ref,
    ref_name: refName(event.ref),
    ref_type: event.ref.startsWith("refs/tags/") ? "tag" : "branch",
    ref_protected: false,
    head_ref: event.name === "pull_request" ? (event.headRef ?? "") : "",
    base_ref: event.name === "pull_request" ? (event.baseRef ?? "") : "",
    actor: event.actor,
    actor_id: "",
    triggering_actor: event.actor,
    run_id: String(run.id),
    run_number: String(number),
    run_attempt: String(run.attempt),
    retention_days: "90",
    secret_source: run.headRepository.fork && event.name === "pull_request" ? "None" : "Actions",
    workflow: run.workflowName,
    workflow_ref: workflowRef(source),
    workflow_sha: source.sha,
    server_url: platform.serverUrl,
    api_url: platform.apiUrl,
    graphql_url: `${platform.apiUrl}/graphql`,
  };
}

const variables = [
  "actor",
  "actor_id",
  "api_url",
  "base_ref",
  "event_name",
  "graphql_url",
  "head_ref",
  "ref",
  "ref_name",
  "ref_protected",
  "ref_type",
  "repository",
  "repository_id",
  "repository_owner",
  "repository_owner_id",
  "retention_days",
  "run_attempt",
  "run_id",
  "run_number",
  "server_url",
  "sha",
  "triggering_actor",
  "workflow",
  "workflow_ref",
  "workflow_sha",
  "job",
  "workspace",
  "event_path",
  "action",
  "action_path",
  "action_repository",
  "action_ref",
];

/** The GITHUB_* variables of a step. */
export function githubVariables(github: Contexts): Record<string, string> {
  return Object.fromEntries(
    variables
      .filter((name) => github[name] !== undefined)
      .map((name) => [`GITHUB_${name.toUpperCase()}`, String(github[name])]),
  );
}

/** Pull requests from forks get no secrets and no variables. */
export const isUntrusted = (event: TriggerEvent): boolean => event.name === "pull_request" && event.headRepository.fork;
