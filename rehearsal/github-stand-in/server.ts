import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { deploymentRows, deploymentStatuses, type StoredDeployment, type StoredStatus } from "./deployments.ts";
import { gitDatabase, type GitState } from "./git.ts";
import { idToken, type OidcState } from "./oidc.ts";
import { comment, comparison, pull, tree, type StoredComment, type StoredPull } from "./resources.ts";
import { emptyWorkflows, workflowRoutes, type WorkflowsState } from "./workflows.ts";

/** One request and its answer, as it went over the wire. */
export type Exchange = {
  method: string;
  path: string;
  query: Record<string, string>;
  authorization: string | null;
  body: unknown;
  status: number;
  answer: unknown;
};

/** Something that goes wrong `times` times on requests that match. */
export type Fault = {
  method: string;
  path: RegExp;
  times: number;
  /** Requests that match and pass unharmed first. */
  skip?: number;
  does:
    | { kind: "answer"; status: number; message: string; headers?: Record<string, string> }
    | { kind: "hang" }
    | { kind: "reset" }
    | { kind: "accept-then-fail"; status: number }
    | { kind: "accept-then-reset" }
    /** Something outside happens when the request is done, such as the end of the process that asked. */
    | { kind: "accept-then"; run: () => void };
};

export type GitHubState = {
  repository: string;
  /** Who the token is, as GraphQL's viewer says. */
  viewer: string;
  comments: StoredComment[];
  pulls: StoredPull[];
  /** "BASE...HEAD" → merge base. */
  mergeBases: Record<string, string>;
  /** Commit or tree → folder by name → its tree; empty unless told. */
  trees: Record<string, Record<string, string>>;
  /** Commit → the pull requests that it belongs to. */
  commitPulls: Record<string, StoredPull[]>;
  /** Deployment → its statuses, oldest first. */
  deployments: Record<number, StoredStatus[]>;
  /** Every Deployment, oldest first. */
  rows: StoredDeployment[];
  git: GitState;
  workflows: WorkflowsState;
  oidc: OidcState;
  faults: Fault[];
};

export type StandInGitHub = { url: string; state: GitHubState; transcript: Exchange[]; close: () => Promise<void> };

type Answer = { status: number; body: unknown; raw?: Buffer; headers?: Record<string, string> };

/**
 * A GitHub of as many routes as the gate uses, stateful, on a free port of loopback. It answers like the real one,
 * down to the fields that nobody reads: contract.ts checks both sides of every exchange against GitHub's own
 * OpenAPI description.
 */
export async function startGitHub(partial: Partial<GitHubState> = {}): Promise<StandInGitHub> {
  const state: GitHubState = {
    repository: "octo/models",
    viewer: "github-actions[bot]",
    comments: [],
    pulls: [],
    mergeBases: {},
    trees: {},
    commitPulls: {},
    deployments: {},
    rows: [],
    git: { refs: {}, tags: {} },
    workflows: emptyWorkflows(),
    oidc: { requestToken: "runner-id-token-request", issued: {} },
    faults: [],
    ...partial,
  };
  const transcript: Exchange[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? "/", "http://stand-in");
      const method = request.method ?? "GET";
      const body = await readJson(request);
      const fault = takeFault(state.faults, method, url.pathname);
      if (fault?.does.kind === "hang") return;
      if (fault?.does.kind === "reset") return void request.socket.resetAndDestroy();
      const token = idToken(state.oidc, method, url, request.headers.authorization ?? null);
      if (token !== null) {
        const failed = fault?.does.kind === "answer" ? fault.does.status : null;
        response
          .writeHead(failed ?? token.status, { "content-type": "application/json" })
          .end(JSON.stringify(failed === null ? token.body : { message: "injected" }));
        if (fault?.does.kind === "accept-then") fault.does.run();
        return;
      }
      let answer: Answer;
      if (fault?.does.kind === "answer")
        answer = {
          status: fault.does.status,
          body: { message: fault.does.message, documentation_url: "https://docs.github.com/rest" },
          headers: fault.does.headers ?? {},
        };
      else {
        const origin = `http://${request.headers.host}`;
        answer =
          workflowRoutes(state.workflows, {
            repository: state.repository,
            method,
            url,
            body,
            origin,
            authorization: request.headers.authorization ?? null,
            viewer: state.viewer,
          }) ?? route(state, method, url, body, origin);
        if (fault?.does.kind === "accept-then-fail")
          answer = { status: fault.does.status, body: { message: "Server Error" } };
      }
      if (answer.raw !== undefined)
        return void response.writeHead(answer.status, { "content-type": "application/zip" }).end(answer.raw);
      transcript.push({
        method,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        authorization: request.headers.authorization ?? null,
        body,
        status: answer.status,
        answer: answer.body,
      });
      if (fault?.does.kind === "accept-then-reset") return void request.socket.resetAndDestroy();
      if (fault?.does.kind === "accept-then") {
        fault.does.run();
        return void request.socket.destroy();
      }
      response.writeHead(answer.status, { "content-type": "application/json; charset=utf-8", ...answer.headers });
      response.end(JSON.stringify(answer.body));
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    state,
    transcript,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** The fault that a request meets, used up by it. */
export function takeFault(faults: Fault[], method: string, path: string): Fault | undefined {
  for (const fault of faults) {
    if (fault.times <= 0 || fault.method !== method || !fault.path.test(path)) continue;
    if ((fault.skip ?? 0) > 0) {
      fault.skip = fault.skip! - 1;
      return undefined;
    }
    fault.times -= 1;
    return fault;
  }
  return undefined;
}

function route(state: GitHubState, method: string, url: URL, body: unknown, origin: string): Answer {
  const path = url.pathname;
  const base = `/repos/${state.repository}`;
  if (method === "POST" && path === "/graphql")
    return { status: 200, body: { data: { viewer: { login: state.viewer } } } };

  const compare = new RegExp(`^${base}/compare/(.+)$`).exec(path);
  if (method === "GET" && compare !== null) {
    const [from, to] = decodeURIComponent(compare[1] as string).split("...");
    const found = from === to ? from : state.mergeBases[`${from}...${to}`];
    return found === undefined ? notFound : { status: 200, body: comparison(origin, state.repository, found) };
  }
  const oneTree = new RegExp(`^${base}/git/trees/(\\w+)$`).exec(path)?.[1];
  if (method === "GET" && oneTree !== undefined)
    return { status: 200, body: tree(origin, state.repository, oneTree, state.trees[oneTree] ?? {}) };
  const list = new RegExp(`^${base}/issues/(\\d+)/comments$`).exec(path);
  if (list !== null) {
    const issue = Number(list[1]);
    if (method === "GET") {
      const all = state.comments.filter((one) => one.issue === issue);
      const perPage = Number(url.searchParams.get("per_page") ?? "30");
      const page = Number(url.searchParams.get("page") ?? "1");
      const next =
        page * perPage < all.length
          ? { link: `<${origin}${path}?per_page=${perPage}&page=${page + 1}>; rel="next"` }
          : {};
      return {
        status: 200,
        body: all.slice((page - 1) * perPage, page * perPage).map((one) => comment(origin, state.repository, one)),
        headers: next,
      };
    }
    if (method === "POST") {
      const made: StoredComment = {
        id: 1000 + state.comments.length,
        issue,
        author: state.viewer,
        body: (body as { body: string }).body,
      };
      state.comments.push(made);
      return { status: 201, body: comment(origin, state.repository, made) };
    }
  }
  const one = new RegExp(`^${base}/issues/comments/(\\d+)$`).exec(path);
  if (method === "PATCH" && one !== null) {
    const found = state.comments.find(({ id }) => id === Number(one[1]));
    if (found === undefined) return notFound;
    found.body = (body as { body: string }).body;
    return { status: 200, body: comment(origin, state.repository, found) };
  }
  if (method === "GET" && path === `${base}/pulls`) {
    const head = url.searchParams.get("head");
    return {
      status: 200,
      body: state.pulls
        .filter((pr) => head === null || pr.head === head)
        .map((pr) => pull(origin, state.repository, pr)),
    };
  }
  const commitPulls = new RegExp(`^${base}/commits/([0-9a-f]+)/pulls$`).exec(path);
  if (method === "GET" && commitPulls !== null)
    return {
      status: 200,
      body: (state.commitPulls[commitPulls[1] as string] ?? []).map((pr) => pull(origin, state.repository, pr)),
    };
  return (
    deploymentStatuses(state.deployments, state.repository, method, path, body, origin) ??
    deploymentRows(state.rows, state.deployments, state.repository, method, url, body, origin) ??
    gitDatabase(state.git, state.repository, method, path, body, origin) ??
    notFound
  );
}

const notFound: Answer = {
  status: 404,
  body: { message: "Not Found", documentation_url: "https://docs.github.com/rest" },
};

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? undefined : (JSON.parse(text) as unknown);
}
