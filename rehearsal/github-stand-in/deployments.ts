import { instant, user } from "./resources.ts";

/** A Deployment's status as it was posted. */
export type StoredStatus = {
  id: number;
  state: string;
  description: string;
  log_url: string;
  environment_url: string;
  environment?: string;
  creator?: string;
  createdAt?: string;
};

/** Who makes a row, when (ISO 8601), and the commit that its ref means. */
export type Made = { creator?: string; createdAt?: string; sha?: string };

function status(
  origin: string,
  repository: string,
  deployment: number,
  { id, creator = "github-actions[bot]", createdAt = instant, environment = "production", ...stored }: StoredStatus,
) {
  const api = `${origin}/repos/${repository}`;
  return {
    id,
    node_id: `DES_${id}`,
    url: `${api}/deployments/${deployment}/statuses/${id}`,
    creator: user(origin, creator),
    state: stored.state,
    description: stored.description,
    // An address that was not given is left out: "" is not one.
    ...(stored.log_url === "" ? {} : { log_url: stored.log_url }),
    ...(stored.environment_url === "" ? {} : { environment_url: stored.environment_url }),
    target_url: stored.log_url === "" ? `${api}/deployments/${deployment}` : stored.log_url,
    environment,
    created_at: createdAt,
    updated_at: createdAt,
    deployment_url: `${api}/deployments/${deployment}`,
    repository_url: api,
    performed_via_github_app: null,
  };
}

/** GET and POST of a Deployment's statuses, latest first; null for anything else. */
export function deploymentStatuses(
  deployments: Record<number, StoredStatus[]>,
  repository: string,
  method: string,
  path: string,
  body: unknown,
  origin: string,
  { creator, createdAt }: Made = {},
): { status: number; body: unknown } | null {
  const found = new RegExp(`^/repos/${repository}/deployments/(\\d+)/statuses$`).exec(path);
  const id = Number(found?.[1]);
  const statuses = deployments[id];
  if (found === null || statuses === undefined) return null;
  if (method === "GET")
    return { status: 200, body: statuses.toReversed().map((one) => status(origin, repository, id, one)) };
  if (method !== "POST") return null;
  const {
    state,
    description = "",
    log_url = "",
    environment_url = "",
  } = body as Partial<StoredStatus> & { state: string };
  if (description.length > 140)
    return {
      status: 422,
      body: {
        message: "Validation Failed",
        documentation_url: "https://docs.github.com/rest",
        errors: [
          {
            resource: "DeploymentStatus",
            code: "custom",
            message: "description is too long (maximum is 140 characters)",
          },
        ],
      },
    };
  const made: StoredStatus = {
    id: 5000 + statuses.length,
    state,
    description,
    log_url,
    environment_url,
    ...((body as { environment?: string }).environment === undefined
      ? {}
      : { environment: (body as { environment: string }).environment }),
    ...(creator === undefined ? {} : { creator }),
    ...(createdAt === undefined ? {} : { createdAt }),
  };
  statuses.push(made);
  return { status: 201, body: status(origin, repository, id, made) };
}

/** A Deployment as it was made. Its statuses stand in the state under its id. */
export type StoredDeployment = {
  id: number;
  sha: string;
  ref: string;
  task: string;
  environment: string;
  description: string;
  payload: unknown;
  transient_environment: boolean;
  production_environment: boolean;
  creator?: string;
  createdAt?: string;
};

/** GET and POST of Deployments, latest first; null for anything else. */
export function deploymentRows(
  rows: StoredDeployment[],
  statuses: Record<number, StoredStatus[]>,
  repository: string,
  method: string,
  url: URL,
  body: unknown,
  origin: string,
  { creator: by, createdAt: at, sha: commit }: Made = {},
): { status: number; body: unknown } | null {
  const api = `${origin}/repos/${repository}`;
  if (url.pathname !== `/repos/${repository}/deployments`) return null;
  const written = ({ creator = "github-actions[bot]", createdAt = instant, ...one }: StoredDeployment) => ({
    ...one,
    node_id: `DE_${one.id}`,
    url: `${api}/deployments/${one.id}`,
    original_environment: one.environment,
    creator: user(origin, creator),
    created_at: createdAt,
    updated_at: createdAt,
    statuses_url: `${api}/deployments/${one.id}/statuses`,
    repository_url: api,
    performed_via_github_app: null,
  });
  if (method === "GET") {
    const [environment, task, sha] = [
      url.searchParams.get("environment"),
      url.searchParams.get("task"),
      url.searchParams.get("sha"),
    ];
    const found = rows
      .filter(
        (one) =>
          (sha === null || one.sha === sha) &&
          (environment === null || one.environment === environment) &&
          (task === null || one.task === task),
      )
      .toReversed();
    const [page, perPage] = [
      Number(url.searchParams.get("page") ?? "1"),
      Number(url.searchParams.get("per_page") ?? "30"),
    ];
    return { status: 200, body: found.slice((page - 1) * perPage, page * perPage).map(written) };
  }
  if (method !== "POST") return null;
  const {
    ref,
    task = "deploy",
    environment = "production",
    description = "",
    payload = {},
    transient_environment = false,
    production_environment = false,
  } = body as Partial<StoredDeployment> & { ref: string };
  const made: StoredDeployment = {
    id: 7000 + rows.length,
    sha: commit ?? ref,
    ref,
    task,
    environment,
    description,
    payload,
    transient_environment,
    production_environment,
    ...(by === undefined ? {} : { creator: by }),
    ...(at === undefined ? {} : { createdAt: at }),
  };
  rows.push(made);
  statuses[made.id] = [];
  return { status: 201, body: written(made) };
}
