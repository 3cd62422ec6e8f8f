import { repositoryOf, user } from "./resources.ts";

export type StoredRun = {
  id: number;
  file: string;
  name: string;
  title: string;
  status: "queued" | "in_progress" | "waiting" | "completed";
  conclusion: string | null;
  sha: string;
  branch: string;
  event: string;
  actor: string;
  /** ISO 8601. */
  createdAt: string;
  updatedAt: string;
  artifacts: { name: string; digest: string; /** The archive; none means that it has expired. */ zip?: Buffer }[];
  /** Environments that wait for a review, and who may give it. */
  pending: { id: number; name: string; reviewers: string[] }[];
  reviews: { state: "approved" | "rejected"; user: string; comment: string; environment: string }[];
  inputs: Record<string, string> | null;
  /** Owner of the fork that its commit lies in. */
  fork?: string;
};

export type WorkflowsState = {
  runs: StoredRun[];
  /** Workflow file → names of its inputs, and whether its run-name shows the one called `request`. */
  workflows: Record<string, { inputs: string[] }>;
  /** Token → login. Others are the state's viewer. */
  tokens: Record<string, string>;
  /** Login → number and role in the repository. */
  people: Record<string, { id: number; role: string }>;
  device: {
    clientId: string;
    codes: Record<string, { userCode: string; login: string | null; denied: boolean }>;
    intervalSeconds: number;
  };
  now: () => number;
};

export function emptyWorkflows(): WorkflowsState {
  return {
    runs: [],
    workflows: {},
    tokens: {},
    people: {},
    device: { clientId: "Iv1.standin", codes: {}, intervalSeconds: 0.2 },
    now: Date.now,
  };
}

type Answer = { status: number; body: unknown; raw?: Buffer; headers?: Record<string, string> };
type Request = {
  repository: string;
  method: string;
  url: URL;
  body: unknown;
  origin: string;
  authorization: string | null;
  viewer: string;
};

const refused = (status: number, message: string): Answer => ({
  status,
  body: { message, documentation_url: "https://docs.github.com/rest", ...(status === 422 ? { errors: [] } : {}) },
});

/**
 * Workflow runs, dispatches, reviews of waiting environments, permissions, and the login of the device flow; null for
 * anything else.
 */
export function workflowRoutes(
  state: WorkflowsState,
  { repository, method, url, body, origin, authorization, viewer }: Request,
): Answer | null {
  const { pathname: path, searchParams: query } = url;
  const api = `${origin}/repos/${repository}`;
  const login = state.tokens[(authorization ?? "").replace(/^(token|bearer) /i, "")] ?? viewer;
  if (method === "POST" && path.startsWith("/login/"))
    return deviceFlow(state, path, body as Record<string, string>, origin);
  if (method === "GET" && path === "/user")
    return { status: 200, body: { ...user(origin, login), id: state.people[login]?.id ?? 1, ...me } };
  const blob = /^\/blobs\/(\d+)$/.exec(path);
  if (blob !== null) return { status: 200, body: undefined, raw: zipOf(state, Number(blob[1])) as Buffer };
  if (!path.startsWith(`/repos/${repository}/`)) return null;
  const rest = path.slice(`/repos/${repository}/`.length);

  const permission = /^collaborators\/([^/]+)\/permission$/.exec(rest);
  if (method === "GET" && permission !== null) {
    const name = decodeURIComponent(permission[1] as string);
    const person = Object.entries(state.people).find(([one]) => one.toLowerCase() === name.toLowerCase());
    if (person === undefined) return refused(404, `${name} is not a user`);
    const [right, { id, role }] = person;
    const coarse = role === "maintain" ? "write" : role === "triage" ? "read" : role;
    return {
      status: 200,
      body: { permission: coarse, role_name: role, user: { ...user(origin, right), id, role_name: role } },
    };
  }

  const list = /^actions\/(?:workflows\/([^/]+)\/)?runs$/.exec(rest);
  if (method === "GET" && list !== null) {
    const wanted = (name: string, value: string) => query.get(name) === null || query.get(name) === value;
    const found = state.runs
      .filter(
        (run) =>
          (list[1] === undefined || run.file === list[1]) &&
          wanted("head_sha", run.sha) &&
          wanted("branch", run.branch) &&
          wanted("event", run.event) &&
          wanted("status", run.status),
      )
      .toReversed();
    return {
      status: 200,
      body: {
        total_count: found.length,
        workflow_runs: found
          .slice(0, Number(query.get("per_page") ?? "30"))
          .map((run) => written(origin, repository, run)),
      },
    };
  }
  const dispatch = /^actions\/workflows\/([^/]+)\/dispatches$/.exec(rest);
  if (method === "POST" && dispatch !== null) {
    const file = dispatch[1] as string;
    const workflow = state.workflows[file];
    const {
      ref,
      inputs = {},
      return_run_details: details = false,
    } = body as { ref: string; inputs?: Record<string, string>; return_run_details?: boolean };
    if (workflow === undefined) return refused(404, "Not Found");
    const unexpected = Object.keys(inputs).filter((name) => !workflow.inputs.includes(name));
    if (unexpected.length > 0) return refused(422, `Unexpected inputs provided: ${JSON.stringify(unexpected)}`);
    const run = addRun(state, {
      file,
      event: "workflow_dispatch",
      status: "queued",
      branch: ref,
      actor: login,
      inputs,
      title: ["Deploy", inputs["model"], inputs["request"]].filter(Boolean).join(" "),
    });
    return details
      ? {
          status: 200,
          body: {
            workflow_run_id: run.id,
            run_url: `${api}/actions/runs/${run.id}`,
            html_url: htmlUrl(repository, run.id),
          },
        }
      : { status: 204, body: undefined };
  }

  const download = /^actions\/artifacts\/(\d+)\/zip$/.exec(rest);
  if (method === "GET" && download !== null)
    return zipOf(state, Number(download[1])) === undefined
      ? refused(410, "Artifact has expired")
      : { status: 302, body: undefined, headers: { location: `${origin}/blobs/${download[1]}` } };
  const one = /^actions\/runs\/(\d+)(?:\/(\w+))?$/.exec(rest);
  const run = state.runs.find(({ id }) => id === Number(one?.[1]));
  if (one === null) return null;
  if (run === undefined) return refused(404, "Not Found");
  const environment = ({ id, name }: { id: number; name: string }) => ({
    id,
    node_id: `EN_${id}`,
    name,
    url: `${api}/environments/${name}`,
    html_url: `https://github.com/${repository}/deployments`,
    created_at: run.createdAt,
    updated_at: run.updatedAt,
  });
  switch (`${method} ${one[2] ?? ""}`) {
    case "GET ":
      return { status: 200, body: written(origin, repository, run) };
    case "GET artifacts": {
      const artifacts = run.artifacts.map(({ name, digest, zip }, i) => ({
        id: run.id * 10 + i,
        node_id: `A_${run.id}_${i}`,
        name,
        digest,
        size_in_bytes: zip?.length ?? 1000,
        url: `${api}/actions/artifacts/${run.id * 10 + i}`,
        archive_download_url: `${api}/actions/artifacts/${run.id * 10 + i}/zip`,
        expired: zip === undefined,
        created_at: run.createdAt,
        updated_at: run.updatedAt,
        expires_at: run.updatedAt,
      }));
      return { status: 200, body: { total_count: artifacts.length, artifacts } };
    }
    case "GET pending_deployments":
      return {
        status: 200,
        body: run.pending.map((each) => ({
          environment: environment(each),
          wait_timer: 0,
          wait_timer_started_at: null,
          current_user_can_approve: each.reviewers.includes(login),
          reviewers: each.reviewers.map((reviewer) => ({ type: "User", reviewer: user(origin, reviewer) })),
        })),
      };
    case "GET approvals":
      return {
        status: 200,
        body: run.reviews.map(({ state: decision, user: by, comment, environment: name }) => ({
          environments: [environment({ id: 1, name })],
          state: decision,
          user: user(origin, by),
          comment,
        })),
      };
    case "POST pending_deployments": {
      const {
        environment_ids: ids,
        state: decision,
        comment,
      } = body as { environment_ids: number[]; state: "approved" | "rejected"; comment: string };
      const meant = run.pending.filter(({ id }) => ids.includes(id));
      if (meant.length === 0) return refused(422, "No pending deployment requests to approve or reject");
      if (!meant.every(({ reviewers }) => reviewers.includes(login)))
        return refused(403, "Current user is not a required reviewer");
      run.reviews.push(...meant.map(({ name }) => ({ state: decision, user: login, comment, environment: name })));
      run.pending = run.pending.filter(({ id }) => !ids.includes(id));
      if (run.pending.length === 0)
        Object.assign(
          run,
          decision === "approved" ? { status: "in_progress" } : { status: "completed", conclusion: "failure" },
        );
      return { status: 200, body: [] };
    }
    default:
      return null;
  }
}

const zipOf = ({ runs }: WorkflowsState, id: number) =>
  runs.find((run) => run.id === Math.floor(id / 10))?.artifacts[id % 10]?.zip;

export function addRun(state: WorkflowsState, run: Partial<StoredRun>): StoredRun {
  const at = new Date(state.now()).toISOString();
  const added: StoredRun = {
    id: 500 + state.runs.length,
    file: "gate.yml",
    name: run.file ?? "gate.yml",
    title: "a run",
    status: "completed",
    conclusion: null,
    sha: "0".repeat(40),
    branch: "main",
    event: "push",
    actor: "octo",
    createdAt: at,
    updatedAt: at,
    artifacts: [],
    pending: [],
    reviews: [],
    inputs: null,
    ...run,
  };
  state.runs.push(added);
  return added;
}

const htmlUrl = (repository: string, id: number) => `https://github.com/${repository}/actions/runs/${id}`;

function written(origin: string, repository: string, run: StoredRun) {
  const url = `${origin}/repos/${repository}/actions/runs/${run.id}`;
  const who = { name: "Octo", email: "octo@example.org" };
  const home = repositoryOf(origin, repository.split("/")[0] as string);
  return {
    id: run.id,
    node_id: `WFR_${run.id}`,
    name: run.name,
    path: `.github/workflows/${run.file}`,
    workflow_id: 1,
    run_number: run.id,
    run_attempt: 1,
    display_title: run.title,
    status: run.status,
    conclusion: run.conclusion,
    head_sha: run.sha,
    head_branch: run.branch,
    event: run.event,
    actor: user(origin, run.actor),
    triggering_actor: user(origin, run.actor),
    html_url: htmlUrl(repository, run.id),
    url,
    pull_requests: [],
    created_at: run.createdAt,
    updated_at: run.updatedAt,
    run_started_at: run.createdAt,
    head_commit: {
      id: run.sha,
      tree_id: run.sha,
      message: "a commit",
      timestamp: run.createdAt,
      author: who,
      committer: who,
    },
    repository: home,
    head_repository: run.fork === undefined ? home : repositoryOf(origin, run.fork),
    ...Object.fromEntries(
      ["jobs", "logs", "cancel", "rerun", "artifacts"].map((name) => [`${name}_url`, `${url}/${name}`]),
    ),
    check_suite_url: `${url}/suite`,
    workflow_url: `${url}/workflow`,
  };
}

const me = {
  user_view_type: "public",
  name: null,
  company: null,
  blog: null,
  location: null,
  email: null,
  hireable: null,
  bio: null,
  public_repos: 0,
  public_gists: 0,
  followers: 0,
  following: 0,
  created_at: "2020-01-01T00:00:00Z",
  updated_at: "2020-01-01T00:00:00Z",
};

function deviceFlow(
  { device, tokens }: WorkflowsState,
  path: string,
  body: Record<string, string>,
  origin: string,
): Answer {
  if (body["client_id"] !== device.clientId) return { status: 200, body: { error: "incorrect_client_credentials" } };
  if (path === "/login/device/code") {
    const code = `device-${Object.keys(device.codes).length + 1}`;
    device.codes[code] = { userCode: `ABCD-${1000 + Object.keys(device.codes).length}`, login: null, denied: false };
    return {
      status: 200,
      body: {
        device_code: code,
        user_code: device.codes[code].userCode,
        verification_uri: `${origin.replace("127.0.0.1", "github.example.org")}/login/device`,
        expires_in: 900,
        interval: device.intervalSeconds,
      },
    };
  }
  const code = device.codes[body["device_code"] ?? ""];
  if (path !== "/login/oauth/access_token" || code === undefined)
    return { status: 200, body: { error: "incorrect_device_code" } };
  if (code.denied) return { status: 200, body: { error: "access_denied" } };
  if (code.login === null) return { status: 200, body: { error: "authorization_pending" } };
  const token = `ghu_standin${code.login}0123456789`;
  tokens[token] = code.login;
  return { status: 200, body: { access_token: token, token_type: "bearer", scope: "" } };
}
