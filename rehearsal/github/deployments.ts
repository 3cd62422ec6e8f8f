import type { JobRecord, RunRecord } from "../executor/platform.ts";
import { deliver } from "./hooks.ts";
import { botLogin } from "./tokens.ts";
import {
  instantOf,
  invalid,
  notFound,
  paged,
  Refusal,
  userOf,
  type Json,
  type Repository,
  type Routes,
  type StoredDeployment,
  type StoredStatus,
  type World,
} from "./world.ts";

const postable = new Set(["error", "failure", "inactive", "in_progress", "queued", "pending", "success"]);
const maxDescriptionCharacters = 140;

/** Deployments and their statuses, created by people and jobs. Lists start with the latest. */
export const deploymentRoutes: Routes = async (world, request) => {
  const { repository, method, rest, body, query, caller } = request;
  if (!/^deployments(\/|$)/.test(rest)) return null;
  if (rest === "deployments" && method === "GET") {
    const wanted = (name: "environment" | "task" | "sha" | "ref", row: StoredDeployment) =>
      query.get(name) === null || query.get(name) === row[name];
    const found = repository.deployments
      .filter((row) => (["environment", "task", "sha", "ref"] as const).every((name) => wanted(name, row)))
      .toReversed();
    const { items, headers } = paged(world, request, found);
    return { status: 200, headers, body: items.map((row) => deploymentAnswer(world, repository, row)) };
  }
  if (rest === "deployments" && method === "POST") {
    const ref = String(body["ref"]);
    const sha = await repository.git.commitOf(ref);
    if (sha === null) throw new Refusal(422, `No ref found for: ${ref}`);
    const made = addDeployment(world, repository, { ...(body as Partial<StoredDeployment>), ref, sha }, caller.login);
    return { status: 201, body: deploymentAnswer(world, repository, made) };
  }
  const one = /^deployments\/(\d+)(\/statuses)?$/.exec(rest);
  if (one === null) return null;
  const deployment = repository.deployments.find(({ id }) => id === Number(one[1]));
  if (deployment === undefined) throw notFound();
  if (one[2] === undefined)
    return method === "GET" ? { status: 200, body: deploymentAnswer(world, repository, deployment) } : null;
  if (method === "GET") {
    const { items, headers } = paged(world, request, (repository.deploymentStatuses[deployment.id] ?? []).toReversed());
    return { status: 200, headers, body: items.map((row) => statusAnswer(world, repository, deployment, row)) };
  }
  if (method !== "POST") return null;
  if (!postable.has(String(body["state"])))
    throw invalid("DeploymentStatus", "state", "invalid", `state is not included in the list`);
  if (String(body["description"] ?? "").length > maxDescriptionCharacters)
    throw invalid(
      "DeploymentStatus",
      "description",
      "custom",
      `description is too long (maximum is ${maxDescriptionCharacters} characters)`,
    );
  const added = addStatus(
    world,
    repository,
    deployment,
    body as Partial<StoredStatus> & { state: string },
    caller.login,
  );
  return { status: 201, body: statusAnswer(world, repository, deployment, added) };
};

function addDeployment(
  world: World,
  repository: Repository,
  {
    ref,
    sha,
    task = "deploy",
    environment = "production",
    description = "",
    payload = {},
    transient_environment = false,
    production_environment = false,
  }: Partial<StoredDeployment> & { ref: string; sha: string },
  creator: string,
): StoredDeployment {
  const made: StoredDeployment = {
    id: 7000 + repository.deployments.length,
    sha,
    ref,
    task,
    environment,
    description,
    payload,
    transient_environment,
    production_environment,
    creator,
    createdAt: instantOf(world),
  };
  repository.deployments.push(made);
  repository.deploymentStatuses[made.id] = [];
  deliver(world, repository, "deployment", {
    action: "created",
    deployment: deploymentAnswer(world, repository, made),
    sender: userOf(world, creator),
  });
  return made;
}

function addStatus(
  world: World,
  repository: Repository,
  deployment: StoredDeployment,
  {
    state,
    description = "",
    log_url = "",
    environment_url = "",
    environment = deployment.environment,
    auto_inactive = true,
  }: Partial<StoredStatus> & { state: string; auto_inactive?: boolean },
  creator: string,
): StoredStatus {
  const statuses = (repository.deploymentStatuses[deployment.id] ??= []);
  const added: StoredStatus = {
    id: 5000 + statuses.length,
    state,
    description,
    log_url,
    environment_url,
    environment,
    creator,
    createdAt: instantOf(world),
  };
  statuses.push(added);
  if (state === "success" && auto_inactive) retire(world, repository, deployment, creator);
  deliver(world, repository, "deployment_status", {
    action: "created",
    deployment_status: statusAnswer(world, repository, deployment, added),
    deployment: deploymentAnswer(world, repository, deployment),
    sender: userOf(world, creator),
  });
  return added;
}

/** Makes earlier successful Deployments of the environment inactive, unless they are transient or in production. */
function retire(world: World, repository: Repository, { id, environment }: StoredDeployment, creator: string): void {
  for (const other of repository.deployments) {
    if (
      other.id >= id ||
      other.environment !== environment ||
      other.transient_environment ||
      other.production_environment
    )
      continue;
    const statuses = repository.deploymentStatuses[other.id] ?? [];
    if (statuses.at(-1)?.state === "success")
      statuses.push({
        id: 5000 + statuses.length,
        state: "inactive",
        description: "",
        log_url: "",
        environment_url: "",
        environment,
        creator,
        createdAt: instantOf(world),
      });
  }
}

/** Creates and updates the Deployment that GitHub itself makes for a job with an environment. */
export function followJob(
  world: World,
  repository: Repository,
  run: RunRecord,
  job: JobRecord,
  made: Map<string, number>,
): void {
  if (job.environment === null || job.conclusion === "skipped") return;
  const key = `${run.id}/${run.attempt}/${job.key}/${job.environment}`;
  let deployment = repository.deployments.find(({ id }) => id === made.get(key));
  if (deployment === undefined) {
    deployment = addDeployment(
      world,
      repository,
      { sha: run.headSha, ref: run.headBranch, environment: job.environment },
      botLogin,
    );
    made.set(key, deployment.id);
  }
  const statuses = repository.deploymentStatuses[deployment.id] ?? [];
  const state =
    job.status === "waiting"
      ? "waiting"
      : job.status === "queued"
        ? "queued"
        : job.status === "in_progress"
          ? "in_progress"
          : job.conclusion === "success"
            ? "success"
            : job.conclusion === "cancelled"
              ? "error"
              : "failure";
  if (statuses.at(-1)?.state === state || (statuses.at(-1)?.state === "inactive" && state === "success")) return;
  const log = `${world.origin}/${repository.fullName}/actions/runs/${run.id}/job/${job.id}`;
  addStatus(world, repository, deployment, { state, log_url: log }, botLogin);
}

function deploymentAnswer(world: World, { fullName }: Repository, deployment: StoredDeployment): Json {
  // What was seeded without a time has the one at which it was first asked for.
  const createdAt = (deployment.createdAt ??= instantOf(world));
  const { creator = botLogin, createdAt: _, ...stored } = deployment;
  const api = `${world.origin}/repos/${fullName}`;
  return {
    ...stored,
    node_id: `DE_${stored.id}`,
    url: `${api}/deployments/${stored.id}`,
    original_environment: stored.environment,
    creator: userOf(world, creator),
    created_at: createdAt,
    updated_at: createdAt,
    statuses_url: `${api}/deployments/${stored.id}/statuses`,
    repository_url: api,
    performed_via_github_app: null,
  };
}

function statusAnswer(
  world: World,
  { fullName }: Repository,
  deployment: StoredDeployment,
  status: StoredStatus,
): Json {
  const createdAt = (status.createdAt ??= instantOf(world));
  const {
    id,
    creator = botLogin,
    environment = deployment.environment,
    log_url: log,
    environment_url: page,
    state,
    description,
  } = status;
  const api = `${world.origin}/repos/${fullName}`;
  const url = `${api}/deployments/${deployment.id}`;
  return {
    id,
    node_id: `DES_${id}`,
    url: `${url}/statuses/${id}`,
    creator: userOf(world, creator),
    state,
    description,
    // URLs that were not given are left out, because "" is not a URL.
    ...(log === "" ? {} : { log_url: log }),
    ...(page === "" ? {} : { environment_url: page }),
    target_url: log === "" ? url : log,
    environment,
    created_at: createdAt,
    updated_at: createdAt,
    deployment_url: url,
    repository_url: api,
    performed_via_github_app: null,
  };
}
