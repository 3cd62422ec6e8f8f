import { sentOnce, type RepositoryApi } from "./api.ts";

/**
 * `payload`: anything that the Deployment's creator put there; registry/deployment.ts reads ours. `createdAt`: ISO
 * 8601.
 */
export type Deployment = {
  id: number;
  sha: string;
  environment: string;
  description: string;
  payload: unknown;
  creator: string;
  createdAt: string;
};

/** The states that clients may write. Others, such as "waiting", only GitHub itself can set. */
const writableStates = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"] as const;
export type WritableState = (typeof writableStates)[number];

/** URLs are "" if there are none. */
export type DeploymentStatus = {
  state: string;
  description: string;
  logUrl: string;
  environmentUrl: string;
  createdAt: string;
};

export type DeploymentFilter = { environment?: string; sha?: string; task?: string };

/** Newest first. @param count at most 100 @param page from 1, of `count` each */
export async function listDeployments(
  { octokit, owner, repo }: RepositoryApi,
  filter: DeploymentFilter,
  count: number,
  page = 1,
): Promise<Deployment[]> {
  const { data } = await octokit.rest.repos.listDeployments({ owner, repo, ...filter, per_page: count, page });
  return data.map((one) => ({
    id: one.id,
    sha: one.sha,
    environment: one.environment,
    description: one.description ?? "",
    payload: one.payload,
    creator: one.creator?.login ?? "",
    createdAt: one.created_at,
  }));
}

/** Newest first. @param count at most 100 */
export async function deploymentStatuses(
  { octokit, owner, repo }: RepositoryApi,
  deployment: number,
  count: number,
): Promise<DeploymentStatus[]> {
  const { data } = await octokit.rest.repos.listDeploymentStatuses({
    owner,
    repo,
    deployment_id: deployment,
    per_page: count,
  });
  return data.map((one) => ({
    state: one.state,
    description: one.description ?? "",
    logUrl: one.log_url ?? "",
    environmentUrl: one.environment_url ?? "",
    createdAt: one.created_at,
  }));
}

type NewStatus = {
  state: WritableState;
  description: string;
  logUrl: string;
  environmentUrl: string;
  /** Whether a success makes earlier deployments of the environment inactive. */
  replacesEarlier: boolean;
};

/** The longest description that GitHub accepts. */
export const maxDescriptionLength = 140;

export async function addDeploymentStatus(
  { octokit, owner, repo }: RepositoryApi,
  deployment: number,
  { state, description, logUrl, environmentUrl, replacesEarlier }: NewStatus,
): Promise<void> {
  await octokit.rest.repos.createDeploymentStatus({
    owner,
    repo,
    deployment_id: deployment,
    state,
    description,
    ...(replacesEarlier ? {} : { auto_inactive: false }),
    ...(logUrl === "" ? {} : { log_url: logUrl }),
    ...(environmentUrl === "" ? {} : { environment_url: environmentUrl }),
    ...sentOnce,
  });
}

/**
 * Gives a Deployment a new description and changes nothing else: adds a status that repeats the latest one's state and
 * URLs.
 *
 * @param description truncated to GitHub's limit
 */
export async function describeDeployment(api: RepositoryApi, deployment: number, description: string): Promise<void> {
  const [latest] = await deploymentStatuses(api, deployment, 30);
  await addDeploymentStatus(api, deployment, {
    state: writableStates.find((one) => one === latest?.state) ?? "queued",
    description: description.slice(0, maxDescriptionLength),
    logUrl: latest?.logUrl ?? "",
    environmentUrl: latest?.environmentUrl ?? "",
    replacesEarlier: false,
  });
}
