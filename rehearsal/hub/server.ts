import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerUnder, faultFor, type Answer, type FaultRule } from "./faults.ts";
import { lfsBatch, lfsTransfer, type Uploads } from "./lfs.ts";
import { startProxy, type ProxyExchange } from "./proxy.ts";
import { Repository, sha256, type Commit, type Entry, type Operation } from "./repository.ts";
import { Space, type Behaviour } from "./space.ts";

export type Exchange = {
  method: string;
  path: string;
  query: string;
  authorization: string | null;
  contentType: string | null;
  body: Buffer;
  status: number | null;
  atMs: number;
};

export type HubOptions = {
  /** The owner's token, which may write. */
  token: string;
  /** Verifies an ID token with GitHub's stand-in. null: there is no trusted publisher. */
  vouches: ((idToken: string) => { audience: string } | null) | null;
  multipartBytes: number;
  /** Whether the owner has a plan. Without one, Docker Spaces answer 402 to requests that need it. */
  plan: boolean;
  /** What tokens of trusted publishing may do in addition to committing. */
  publisherMay: { restart: boolean };
  behaviour: Partial<Behaviour>;
  /** Model repositories, by NS/NAME. */
  models: Record<string, { private: boolean }>;
  /** For this many requests after a commit, the Space's HEAD is still reported as before. */
  staleReads: number;
};

type ModelRepository = { name: string; private: boolean; repository: Repository };

/**
 * A test's access to the stand-in. `transcript`: every request to the Hub, including those of the running app.
 * `probes`: requests to the app itself. `faults` and `appFaults` may be changed at any time; a used-up rule does
 * nothing.
 */
export type StandInHub = {
  url: string;
  space: Space;
  models: Map<string, ModelRepository>;
  domain: string;
  transcript: Exchange[];
  probes: ProxyExchange[];
  faults: FaultRule[];
  appFaults: FaultRule[];
  options: HubOptions;
  issued: string[];
  close(): Promise<void>;
};

/**
 * A Hub on loopback with one Docker Space and the model repositories in `models`. It implements the part of the HTTP
 * API that a deployer uses, with the real behaviour. The Space's app runs as a separate process that uses this Hub.
 *
 * @param name NS/NAME of the Space, which exists and is empty
 * @param partial options that differ from the defaults: an owner with a plan, one token and no trusted publisher. The
 * object is kept and may be changed later
 */
export async function startHub(name = "octo/births", partial: Partial<HubOptions> = {}): Promise<StandInHub> {
  const options: HubOptions = {
    token: "hf_testtoken",
    vouches: null,
    multipartBytes: 5_000_000,
    plan: true,
    publisherMay: { restart: true },
    behaviour: {},
    models: {},
    staleReads: 0,
    ...partial,
  };
  const space = new Space(name, options.behaviour);
  const models = new Map(
    Object.entries(options.models).map(([id, one]) => [
      id,
      { name: id, private: one.private, repository: new Repository("---\nlicense: other\n---\n") },
    ]),
  );
  const hub: Hub = {
    options,
    space,
    models,
    uploads: new Map(),
    issued: [],
    scopes: new Map(),
    domain: "",
    stale: null,
    budget: 2500,
  };
  const transcript: Exchange[] = [];
  const probes: ProxyExchange[] = [];
  const faults: FaultRule[] = [];
  const appFaults: FaultRule[] = [];
  const proxy = await startProxy(space, appFaults, (exchange) => probes.push(exchange));
  hub.domain = proxy.domain;
  const server = createServer((request, response) => {
    void handle(hub, request, response, transcript, faults);
  });
  await new Promise<void>((done) => {
    server.listen(0, "127.0.0.1", done);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  space.hubUrl = url;
  const stop = (one: Server) =>
    new Promise<void>((done) => {
      one.closeAllConnections();
      one.close(() => {
        done();
      });
    });
  return {
    url,
    space,
    models,
    domain: proxy.domain,
    transcript,
    probes,
    faults,
    appFaults,
    options,
    issued: hub.issued,
    close: async () => {
      await space.close();
      await Promise.all([stop(server), stop(proxy.server)]);
    },
  };
}

type Hub = {
  options: HubOptions;
  space: Space;
  models: Map<string, ModelRepository>;
  uploads: Uploads;
  issued: string[];
  scopes: Map<string, string>;
  domain: string;
  stale: { commit: string; left: number } | null;
  budget: number;
};

async function handle(
  hub: Hub,
  request: IncomingMessage,
  response: ServerResponse,
  transcript: Exchange[],
  faults: FaultRule[],
): Promise<void> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return;
  }
  const url = new URL(request.url ?? "/", "http://hub");
  const method = request.method ?? "GET";
  const body = Buffer.concat(chunks);
  const exchange: Exchange = {
    method,
    path: url.pathname,
    query: url.search,
    authorization: request.headers.authorization ?? null,
    contentType: request.headers["content-type"] ?? null,
    body,
    status: null,
    atMs: Date.now(),
  };
  transcript.push(exchange);
  const fault = faultFor(faults, method, url.pathname);
  const stream = /\/logs\/(build|run)$/.exec(url.pathname);
  if (stream !== null && fault === null && method === "GET") {
    exchange.status = streamLog(hub, stream[1] as "build" | "run", exchange, response);
    return;
  }
  const answer = await answerUnder(fault, request, response, async () => {
    hub.budget -= 1;
    const said = await route(hub, method, url, body, {
      authorization: exchange.authorization,
      range: request.headers.range,
      origin: `http://${request.headers.host}`,
    });
    return {
      ...said,
      headers: {
        ratelimit: `"api";r=${Math.max(0, hub.budget)};t=300`,
        "ratelimit-policy": '"fixed window";"api";q=2500;w=300',
        "x-request-id": randomBytes(6).toString("hex"),
        ...said.headers,
      },
    };
  });
  exchange.status = answer?.status ?? null;
}

const refused = (status: number, error: string, code?: string): Answer => ({
  status,
  body: { error },
  headers: code === undefined ? {} : { "x-error-code": code, "x-error-message": error },
});

/** A trusted publisher's token is valid only for the repository that it was exchanged for. */
function may(hub: Hub, authorization: string | null, resource: string): "owner" | "publisher" | null {
  const token = authorization?.replace(/^Bearer /, "") ?? null;
  return token === hub.options.token
    ? "owner"
    : token !== null && hub.scopes.get(token) === resource
      ? "publisher"
      : null;
}

/** Whether this Hub issued the token, whatever its rights. */
function known(hub: Hub, authorization: string): boolean {
  const token = authorization.replace(/^Bearer /, "");
  return token === hub.options.token || hub.scopes.has(token);
}

/** The Space or the model repository that a path is about. */
type Target = {
  kind: "space" | "model";
  name: string;
  resource: string;
  private: boolean;
  repository: Repository;
  rest: string;
};

function targetOf({ space, models }: Hub, path: string): Target | null {
  const [, api, web] = /^(?:\/api\/(models\/|spaces\/)|\/(spaces\/)?)/.exec(path) ?? [];
  const kind = (api ?? web) === "spaces/" ? "space" : "model";
  const bare = path.replace(/^\/(?:api\/(?:models|spaces)\/|spaces\/)?/, "");
  const [, name = "", rest = ""] = /^([^/]+\/[^/]+?)((?:\.git)?(?:\/.*)?)$/.exec(bare) ?? [];
  if (kind === "space")
    return name === space.name
      ? { kind, name, resource: `spaces/${name}`, private: space.private, repository: space.repository, rest }
      : null;
  const model = models.get(name);
  return model === undefined ? null : { kind, ...model, resource: name, rest };
}

async function route(
  hub: Hub,
  method: string,
  url: URL,
  body: Buffer,
  { authorization, range, origin }: { authorization: string | null; range: string | undefined; origin: string },
): Promise<Answer> {
  const { space, options } = hub;
  const path = decodeURIComponent(url.pathname);
  const target = targetOf(hub, path);
  const who = may(hub, authorization, target?.resource ?? "");
  if (method === "POST" && path === "/oauth/token") return exchangeToken(hub, body);
  if (path.startsWith("/lfs-upload/")) return lfsTransfer(method, path, body, hub.uploads);
  if (method === "GET" && path === "/api/whoami-v2") {
    return who === "owner"
      ? {
          status: 200,
          body: {
            type: "user",
            name: "octo",
            isPro: options.plan,
            orgs: [],
            auth: { type: "access_token", accessToken: { displayName: "ci", role: "write" } },
          },
        }
      : refused(401, "Invalid credentials in Authorization header");
  }
  if (method === "POST" && path === "/api/repos/create")
    return options.plan
      ? refused(409, "You already created this space repo")
      : refused(402, "Docker Spaces require a PRO, Team or Enterprise subscription");
  if (authorization !== null && who === null && !known(hub, authorization))
    return refused(401, "Invalid credentials in Authorization header");
  if (target === null) return refused(404, "Repository not found", "RepoNotFound");
  if (target.private && who === null) return refused(401, "Repository not found", "RepoNotFound");
  const { repository } = target;

  if (method === "POST" && target.rest === ".git/info/lfs/objects/batch") {
    return who === null
      ? refused(401, "Unauthorized")
      : {
          ...lfsBatch(
            repository,
            JSON.parse(body.toString("utf8")) as object,
            hub.uploads,
            origin,
            options.multipartBytes,
          ),
          headers: { "content-type": "application/vnd.git-lfs+json" },
        };
  }
  const resolved = /^\/resolve\/([^/]+)\/(.+)$/.exec(target.rest);
  if ((method === "GET" || method === "HEAD") && resolved !== null)
    return download(repository, resolved[1]!, resolved[2]!, range);

  if (!path.startsWith("/api/")) return refused(404, "Not found");
  const [what = "", ...rest] = target.rest.slice(1).split("/");
  const revision = rest.join("/");
  if (method === "GET") {
    if (what === "" || what === "revision") return info(hub, target, revision || "main");
    if (what === "tree") return tree(commitAt(hub, target, rest[0] ?? "main"), url, origin);
    if (what === "commits") return commits(repository, url, origin);
  }
  if (what === "paths-info" && method === "POST") return pathsInfo(repository, commitAt(hub, target, revision), body);
  if (who !== null && what === "preupload" && method === "POST") return preupload(repository, body);
  if (who !== null && what === "commit" && method === "POST") return commit(hub, target, body, who);
  if (target.kind === "model")
    return who === null ? refused(401, "Invalid username or password.") : refused(404, "Not found");
  if (method === "GET") {
    if (what === "runtime") return { status: 200, body: space.runtime(hub.domain) };
    if (what === "variables")
      return {
        status: 200,
        body: Object.fromEntries([...space.variables].map(([key, value]) => [key, { key, value }])),
      };
    if (what === "secrets")
      return who === "owner"
        ? { status: 200, body: Object.fromEntries([...space.secrets].map(([key]) => [key, { key }])) }
        : refused(403, "Forbidden");
  }
  if (who === null) return refused(401, "Invalid username or password.");
  if (what === "restart" && method === "POST") {
    if (!options.plan) return refused(402, "Docker Spaces require a PRO, Team or Enterprise subscription");
    if (who === "publisher" && !options.publisherMay.restart)
      return refused(403, "This token may not restart the Space");
    if (space.stage === "PAUSED" && who !== "owner") return refused(403, "The Space was paused by its owner");
    await space.restart(url.searchParams.get("factory") === "true");
    return { status: 200, body: space.runtime(hub.domain) };
  }
  if ((what === "variables" || what === "secrets") && (method === "POST" || method === "DELETE")) {
    const { key, value = "" } = JSON.parse(body.toString("utf8")) as { key: string; value?: string };
    if (who !== "owner") return refused(403, "Forbidden");
    if (method === "POST") space[what].set(key, value);
    else space[what].delete(key);
    space.changed();
    return { status: 200, body: {} };
  }
  return refused(404, "Not found");
}

/** The commit that a reader sees, because a replica may lag behind. */
function commitAt(hub: Hub, { kind, repository }: Target, revision: string): Commit | undefined {
  if (
    kind === "space" &&
    (revision === "main" || revision === "HEAD" || revision === "") &&
    hub.stale !== null &&
    hub.stale.left > 0
  ) {
    hub.stale.left -= 1;
    return repository.commit(hub.stale.commit);
  }
  return repository.commit(revision === "" ? "main" : revision);
}

function info(hub: Hub, target: Target, revision: string): Answer {
  const { space } = hub;
  const found = commitAt(hub, target, revision);
  if (found === undefined) return refused(404, `Invalid rev id: ${revision}`, "RevisionNotFound");
  const siblings = [...found.tree.keys()].map((rfilename) => ({ rfilename }));
  if (target.kind === "model")
    return {
      status: 200,
      body: {
        _id: "651e",
        id: target.name,
        modelId: target.name,
        sha: found.sha,
        author: target.name.split("/")[0],
        private: target.private,
        gated: false,
        disabled: false,
        downloads: 0,
        likes: 0,
        lastModified: "2026-11-21T08:00:00.000Z",
        tags: [],
        siblings,
      },
    };
  return {
    status: 200,
    body: {
      _id: "651f",
      id: space.name,
      sha: found.sha,
      author: space.name.split("/")[0],
      sdk: space.sdk,
      private: space.private,
      disabled: false,
      likes: 0,
      lastModified: "2026-11-21T08:00:00.000Z",
      tags: [space.sdk],
      siblings,
      runtime: space.runtime(hub.domain),
    },
  };
}

const listed = (path: string, { oid, size, lfs }: Entry) => ({
  type: "file",
  oid,
  size,
  path,
  ...(lfs === null ? {} : { lfs }),
});

function tree(found: Commit | undefined, url: URL, origin: string): Answer {
  if (found === undefined) return refused(404, "Invalid rev id", "RevisionNotFound");
  const perPage = Number(url.searchParams.get("limit") ?? "1000");
  const from = Number(url.searchParams.get("cursor") ?? "0");
  const all = [...found.tree].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, entry]) => listed(path, entry));
  url.searchParams.set("cursor", String(from + perPage));
  const next: Record<string, string> =
    from + perPage < all.length ? { link: `<${origin}${url.pathname}${url.search}>; rel="next"` } : {};
  return { status: 200, body: all.slice(from, from + perPage), headers: next };
}

function pathsInfo(repository: Repository, found: Commit | undefined, body: Buffer): Answer {
  if (found === undefined) return refused(404, "Invalid rev id", "RevisionNotFound");
  const { paths, expand = false } = JSON.parse(body.toString("utf8")) as { paths: string[]; expand?: boolean };
  const lastCommit = (path: string) => {
    const { sha: id, title } = repository.lastChanged(found, path);
    return { id, title, date: "2026-11-21T08:00:00.000Z" };
  };
  return {
    status: 200,
    body: paths.flatMap((path) => {
      const entry = found.tree.get(path);
      return entry === undefined
        ? []
        : [
            {
              ...listed(path, entry),
              ...(expand ? { lastCommit: lastCommit(path), securityFileStatus: { status: "safe" } } : {}),
            },
          ];
    }),
  };
}

function commits(repository: Repository, url: URL, origin: string): Answer {
  const limit = Number(url.searchParams.get("limit") ?? "50");
  const page = Number(url.searchParams.get("p") ?? "0");
  const all = repository.log().map(({ sha, title, description, author }) => ({
    id: sha,
    title,
    message: description,
    authors: [{ user: author, avatar: "" }],
    date: "2026-11-21T08:00:00.000Z",
  }));
  url.searchParams.set("p", String(page + 1));
  const next: Record<string, string> =
    (page + 1) * limit < all.length ? { link: `<${origin}${url.pathname}${url.search}>; rel="next"` } : {};
  return { status: 200, body: all.slice(page * limit, (page + 1) * limit), headers: next };
}

function download(repository: Repository, revision: string, path: string, range: string | undefined): Answer {
  const found = repository.commit(revision);
  const bytes = found === undefined ? undefined : repository.read(found, path);
  if (found === undefined) return refused(404, "Invalid rev id", "RevisionNotFound");
  if (bytes === undefined) return refused(404, "Entry not found", "EntryNotFound");
  const entry = found.tree.get(path)!;
  const headers = { etag: `"${entry.lfs?.oid ?? entry.oid}"`, "x-repo-commit": found.sha };
  const part = /^bytes=(\d+)-(\d+)$/.exec(range ?? "");
  if (part === null) return { status: 200, body: bytes, headers };
  const [from, to] = [Number(part[1]), Math.min(Number(part[2]), bytes.length - 1)];
  return {
    status: 206,
    body: bytes.subarray(from, to + 1),
    headers: { ...headers, "content-range": `bytes ${from}-${to}/${bytes.length}` },
  };
}

function preupload(repository: Repository, body: Buffer): Answer {
  const { files } = JSON.parse(body.toString("utf8")) as { files: { path: string; size: number; sample: string }[] };
  if (files.length > 100) return refused(400, "at most 100 files");
  const head = repository.commit("main")!;
  return {
    status: 200,
    body: {
      commitOid: head.sha,
      files: files.map(({ path, size }) => ({
        path,
        uploadMode: repository.isLfs(path, size) ? "lfs" : "regular",
        shouldIgnore: false,
        ...(head.tree.has(path) ? { oid: head.tree.get(path)!.oid } : {}),
      })),
    },
  };
}

function commit(hub: Hub, { kind, name, repository }: Target, body: Buffer, who: string): Answer {
  const operations = body
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Operation);
  const before = repository.head;
  const made = repository.apply(operations, who);
  if ("status" in made) return refused(made.status, made.error);
  if (kind === "space") {
    hub.stale = { commit: before, left: hub.options.staleReads };
    hub.space.changed();
  }
  return {
    status: 200,
    body: {
      success: true,
      commitOid: made.sha,
      commitUrl: `https://huggingface.co/${kind === "space" ? "spaces/" : ""}${name}/commit/${made.sha}`,
      hookOutput: "",
    },
  };
}

function exchangeToken(hub: Hub, body: Buffer): Answer {
  const asked = JSON.parse(body.toString("utf8")) as Record<string, string>;
  const failed = (error: string, description: string): Answer => ({
    status: 400,
    body: { error, error_description: description },
  });
  if (
    asked["grant_type"] !== "urn:ietf:params:oauth:grant-type:token-exchange" ||
    asked["subject_token_type"] !== "urn:ietf:params:oauth:token-type:id_token"
  )
    return failed("unsupported_grant_type", "not a token exchange");
  const resource = asked["resource"] ?? "";
  if (resource !== `spaces/${hub.space.name}` && !hub.models.has(resource))
    return failed("invalid_target", "no such resource");
  const vouched = hub.options.vouches?.(asked["subject_token"] ?? "") ?? null;
  if (vouched === null || vouched.audience !== "https://huggingface.co")
    return failed("invalid_grant", "no trusted publisher matches this token");
  const token = `hf_jwt_${sha256(randomBytes(16)).slice(0, 40)}`;
  hub.issued.push(token);
  hub.scopes.set(token, resource);
  return {
    status: 200,
    body: {
      access_token: token,
      token_type: "bearer",
      expires_in: 3600,
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    },
  };
}

/** Sends the log as server-sent events: first the existing lines, then new ones, until the reader disconnects. */
function streamLog(hub: Hub, which: "build" | "run", { authorization }: Exchange, response: ServerResponse): number {
  if (may(hub, authorization, `spaces/${hub.space.name}`) === null) {
    response.writeHead(401, { "content-type": "application/json" }).end('{"error":"Unauthorized"}');
    return 401;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  let sent = 0;
  const push = () => {
    const log = which === "build" ? hub.space.buildLog : hub.space.runLog;
    if (log.length < sent) sent = 0;
    for (; sent < log.length; sent += 1) response.write(`data: ${JSON.stringify(log[sent])}\n\n`);
  };
  push();
  const timer = setInterval(push, 20);
  response.on("close", () => {
    clearInterval(timer);
  });
  return 200;
}
