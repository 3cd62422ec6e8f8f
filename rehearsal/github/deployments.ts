import { deploymentRows, deploymentStatuses, type StoredDeployment } from "../github-stand-in/deployments.ts";
import { deliver } from "./hooks.ts";
import type { JobRecord, RunRecord } from "../executor/platform.ts";
import { botLogin } from "./tokens.ts";
import { invalid, Refusal, type Repository, type Routes, userOf, type World } from "./world.ts";

const postable = new Set(["error", "failure", "inactive", "in_progress", "queued", "pending", "success"]);

/** Deployments and their statuses, as people and jobs make them. */
export const deploymentRoutes: Routes = async (world, { repository, method, rest, url, body, caller }) => {
  if (!/^deployments(\/|$)/.test(rest)) return null;
  const made = { creator: caller.login, createdAt: instant(world) };
  const one = /^deployments\/(\d+)(\/statuses)?$/.exec(rest);
  if (one === null && method === "POST") {
    const ref = String(body["ref"]);
    const sha = await repository.git.commitOf(ref);
    if (sha === null) throw new Refusal(422, `No ref found for: ${ref}`);
    const answer = withUsers(
      world,
      deploymentRows(
        repository.deployments,
        repository.deploymentStatuses,
        repository.fullName,
        method,
        url,
        body,
        world.origin,
        { ...made, sha },
      ),
    );
    deliver(world, repository, "deployment", {
      action: "created",
      deployment: answer?.body,
      sender: userOf(world, caller.login),
    });
    return answer;
  }
  if (one === null)
    return withUsers(
      world,
      deploymentRows(
        repository.deployments,
        repository.deploymentStatuses,
        repository.fullName,
        method,
        url,
        body,
        world.origin,
      ),
    );
  const deployment = repository.deployments.find(({ id }) => id === Number(one[1]));
  if (deployment === undefined) throw new Refusal(404, "Not Found");
  if (one[2] === undefined) return method === "GET" ? single(world, repository, deployment) : null;
  if (method === "POST" && !postable.has(String(body["state"])))
    throw invalid("DeploymentStatus", "state", "invalid", `state is not included in the list`);
  return addStatus(world, repository, deployment, method, body, caller.login, url);
};

function addStatus(
  world: World,
  repository: Repository,
  deployment: StoredDeployment,
  method: string,
  body: Record<string, unknown>,
  login: string,
  url: URL,
) {
  const before = repository.deploymentStatuses[deployment.id]?.length ?? 0;
  const answer = withUsers(
    world,
    deploymentStatuses(
      repository.deploymentStatuses,
      repository.fullName,
      method,
      url.pathname,
      { environment: deployment.environment, ...body },
      world.origin,
      { creator: login, createdAt: instant(world) },
    ),
  );
  if ((repository.deploymentStatuses[deployment.id]?.length ?? 0) === before) return answer;
  if (body["state"] === "success" && body["auto_inactive"] !== false) retire(world, repository, deployment, login);
  deliver(world, repository, "deployment_status", {
    action: "created",
    deployment_status: answer?.body,
    deployment: single(world, repository, deployment)?.body,
    sender: userOf(world, login),
  });
  return answer;
}

/** What was live in an earlier Deployment of the stage becomes inactive, unless it is transient or in production. */
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
        createdAt: instant(world),
      });
  }
}

/** The Deployment that GitHub itself makes for a job with an environment, followed through the job's life. */
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
    deployment = {
      id: 7000 + repository.deployments.length,
      sha: run.headSha,
      ref: run.headBranch,
      task: "deploy",
      environment: job.environment,
      description: "",
      payload: {},
      transient_environment: false,
      production_environment: false,
      creator: botLogin,
      createdAt: instant(world),
    };
    repository.deployments.push(deployment);
    repository.deploymentStatuses[deployment.id] = [];
    made.set(key, deployment.id);
    deliver(world, repository, "deployment", {
      action: "created",
      deployment: single(world, repository, deployment)?.body,
      sender: userOf(world, botLogin),
    });
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
  addStatus(
    world,
    repository,
    deployment,
    "POST",
    { state, description: "", log_url: log },
    botLogin,
    new URL(`${world.origin}/repos/${repository.fullName}/deployments/${deployment.id}/statuses`),
  );
}

function single(world: World, repository: Repository, deployment: StoredDeployment) {
  const found = deploymentRows(
    [deployment],
    repository.deploymentStatuses,
    repository.fullName,
    "GET",
    new URL(`${world.origin}/repos/${repository.fullName}/deployments`),
    {},
    world.origin,
  );
  return withUsers(world, found === null ? null : { status: 200, body: (found.body as unknown[])[0] });
}

/** Replaces everybody who is only named by the person that the emulator knows. */
function withUsers<T extends { status: number; body: unknown } | null>(world: World, answer: T): T {
  const known = (_: string, value: unknown) => {
    const login =
      typeof value === "object" && value !== null && "login" in value && typeof value.login === "string"
        ? value.login
        : null;
    return login !== null && world.users.has(login.toLowerCase()) ? userOf(world, login) : value;
  };
  return answer === null ? answer : { ...answer, body: JSON.parse(JSON.stringify(answer.body, known)) as unknown };
}

const instant = (world: World) =>
  world
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, "Z");
