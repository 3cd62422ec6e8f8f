import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerUnder, faultFor, type Answer, type FaultRule } from "./faults.ts";
import { lfsBatch, lfsTransfer, type Uploads } from "./lfs.ts";
import { startProxy, type ProxyExchange } from "./proxy.ts";
import { sha256, type Commit, type Entry, type Operation } from "./repository.ts";
import { Space, type Behaviour } from "./space.ts";

export type Exchange = { method: string; path: string; query: string; authorization: string | null; body: Buffer; status: number | null };

export type HubOptions = {
  /** Tokens that may write, by what they are. */
  token: string;
  /** ID tokens are accepted when GitHub's stand-in vouches for them; null: there is no trusted publisher. */
  vouches: ((idToken: string) => { audience: string } | null) | null;
  multipartBytes: number;
  /** An owner without a plan: Docker Spaces answer 402 to what needs one. */
  plan: boolean;
  /** What tokens of trusted publishing may do besides committing. */
  publisherMay: { restart: boolean };
  behaviour: Partial<Behaviour>;
  /** HEAD is told this many requests late. */
  staleReads: number;
};

export type StandInHub = {
  url: string; space: Space; domain: string; transcript: Exchange[]; probes: ProxyExchange[];
  faults: FaultRule[]; appFaults: FaultRule[]; options: HubOptions; issued: string[];
  close(): Promise<void>;
};

/** A Hub with one Docker Space, on loopback: as much of the wire as a deployer uses, with the real behaviour behind it. */
export async function startHub(name = "octo/births", partial: Partial<HubOptions> = {}): Promise<StandInHub> {
  const options: HubOptions = { token: "hf_testtoken", vouches: null, multipartBytes: 5_000_000, plan: true, publisherMay: { restart: true }, behaviour: {}, staleReads: 0, ...partial };
  const space = new Space(name, options.behaviour);
  const hub: Hub = { options, space, uploads: new Map(), issued: [], domain: "", stale: null, budget: 2500 };
  const transcript: Exchange[] = [];
  const probes: ProxyExchange[] = [];
  const faults: FaultRule[] = [];
  const appFaults: FaultRule[] = [];
  const proxy = await startProxy(space, appFaults, (exchange) => probes.push(exchange));
  hub.domain = proxy.domain;
  const server = createServer((request, response) => { void handle(hub, request, response, transcript, faults); });
  await new Promise<void>((done) => { server.listen(0, "127.0.0.1", done); });
  const stop = (one: Server) => new Promise<void>((done) => { one.closeAllConnections(); one.close(() => { done(); }); });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, space, domain: proxy.domain, transcript, probes, faults, appFaults, options, issued: hub.issued,
    close: async () => { await space.close(); await Promise.all([stop(server), stop(proxy.server)]); },
  };
}

type Hub = { options: HubOptions; space: Space; uploads: Uploads; issued: string[]; domain: string; stale: { commit: string; left: number } | null; budget: number };

async function handle(hub: Hub, request: IncomingMessage, response: ServerResponse, transcript: Exchange[], faults: FaultRule[]): Promise<void> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return;
  }
  const url = new URL(request.url ?? "/", "http://hub");
  const method = request.method ?? "GET";
  const body = Buffer.concat(chunks);
  const exchange: Exchange = { method, path: url.pathname, query: url.search, authorization: request.headers.authorization ?? null, body, status: null };
  transcript.push(exchange);
  const fault = faultFor(faults, method, url.pathname);
  const stream = /\/logs\/(build|run)$/.exec(url.pathname);
  if (stream !== null && fault === null && method === "GET") {
    exchange.status = streamLog(hub, stream[1] as "build" | "run", exchange, response);
    return;
  }
  const answer = await answerUnder(fault, request, response, async () => {
    hub.budget -= 1;
    const said = await route(hub, method, url, body, { authorization: exchange.authorization, range: request.headers.range, origin: `http://${request.headers.host}` });
    return { ...said, headers: { ratelimit: `"api";r=${Math.max(0, hub.budget)};t=300`, "ratelimit-policy": '"fixed window";"api";q=2500;w=300', "x-request-id": randomBytes(6).toString("hex"), ...said.headers } };
  });
  exchange.status = answer?.status ?? null;
}

const refused = (status: number, error: string, code?: string): Answer => ({ status, body: { error }, headers: code === undefined ? {} : { "x-error-code": code, "x-error-message": error } });

function may(hub: Hub, authorization: string | null): "owner" | "publisher" | null {
  const token = authorization?.replace(/^Bearer /, "") ?? null;
  return token === hub.options.token ? "owner" : token !== null && hub.issued.includes(token) ? "publisher" : null;
}

async function route(hub: Hub, method: string, url: URL, body: Buffer, { authorization, range, origin }: { authorization: string | null; range: string | undefined; origin: string }): Promise<Answer> {
  const { space, options } = hub;
  const path = decodeURIComponent(url.pathname);
  const who = may(hub, authorization);
  if (method === "POST" && path === "/oauth/token") return exchangeToken(hub, body);
  if (path.startsWith("/lfs-upload/")) return lfsTransfer(space.repository, method, path, body, hub.uploads);
  if (method === "GET" && path === "/api/whoami-v2") {
    return who === "owner" ? { status: 200, body: { type: "user", name: "octo", isPro: options.plan, orgs: [], auth: { type: "access_token", accessToken: { displayName: "ci", role: "write" } } } } : refused(401, "Invalid credentials in Authorization header");
  }
  if (method === "POST" && path === "/api/repos/create") return options.plan ? refused(409, "You already created this space repo") : refused(402, "Docker Spaces require a PRO, Team or Enterprise subscription");
  if (authorization !== null && who === null) return refused(401, "Invalid credentials in Authorization header");
  if (space.private && who === null) return refused(401, "Repository not found", "RepoNotFound");

  if (method === "POST" && path === `/spaces/${space.name}.git/info/lfs/objects/batch`) {
    return who === null ? refused(401, "Unauthorized") : { ...lfsBatch(space.repository, JSON.parse(body.toString("utf8")) as object, hub.uploads, origin, options.multipartBytes), headers: { "content-type": "application/vnd.git-lfs+json" } };
  }
  const resolved = new RegExp(`^/spaces/${space.name}/resolve/([^/]+)/(.+)$`).exec(path);
  if ((method === "GET" || method === "HEAD") && resolved !== null) return download(space.repository.commit(resolved[1]!), resolved[2]!, space, range);

  const base = `/api/spaces/${space.name}`;
  if (path !== base && !path.startsWith(`${base}/`)) return refused(404, "Repository not found", "RepoNotFound");
  const [what = "", ...rest] = path.slice(base.length + 1).split("/");
  const revision = rest.join("/");
  if (method === "GET") {
    if (what === "" || what === "revision") return info(hub, revision || "main");
    if (what === "runtime") return { status: 200, body: space.runtime(hub.domain) };
    if (what === "tree") return tree(commitAt(hub, rest[0] ?? "main"), url, origin);
    if (what === "commits") return commits(hub, url, origin);
    if (what === "variables") return { status: 200, body: Object.fromEntries([...space.variables].map(([key, value]) => [key, { key, value }])) };
    if (what === "secrets") return who === "owner" ? { status: 200, body: Object.fromEntries([...space.secrets].map(([key]) => [key, { key }])) } : refused(403, "Forbidden");
  }
  if (who === null) return refused(401, "Invalid username or password.");
  if (what === "paths-info" && method === "POST") return pathsInfo(commitAt(hub, revision), body);
  if (what === "preupload" && method === "POST") return preupload(space, body);
  if (what === "commit" && method === "POST") return commit(hub, body, who);
  if (what === "restart" && method === "POST") {
    if (!options.plan) return refused(402, "Docker Spaces require a PRO, Team or Enterprise subscription");
    if (who === "publisher" && !options.publisherMay.restart) return refused(403, "This token may not restart the Space");
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

/** The commit that a reader is shown: a replica may lag behind. */
function commitAt(hub: Hub, revision: string): Commit | undefined {
  if ((revision === "main" || revision === "HEAD" || revision === "") && hub.stale !== null && hub.stale.left > 0) {
    hub.stale.left -= 1;
    return hub.space.repository.commit(hub.stale.commit);
  }
  return hub.space.repository.commit(revision === "" ? "main" : revision);
}

function info(hub: Hub, revision: string): Answer {
  const { space } = hub;
  const found = commitAt(hub, revision);
  if (found === undefined) return refused(404, `Invalid rev id: ${revision}`, "RevisionNotFound");
  return {
    status: 200,
    body: { _id: "651f", id: space.name, sha: found.sha, author: space.name.split("/")[0], sdk: space.sdk, private: space.private, disabled: false, likes: 0, lastModified: "2026-11-21T08:00:00.000Z", tags: [space.sdk], siblings: [...found.tree.keys()].map((rfilename) => ({ rfilename })), runtime: space.runtime(hub.domain) },
  };
}

const listed = (path: string, { oid, size, lfs }: Entry) => ({ type: "file", oid, size, path, ...(lfs === null ? {} : { lfs }) });

function tree(found: Commit | undefined, url: URL, origin: string): Answer {
  if (found === undefined) return refused(404, "Invalid rev id", "RevisionNotFound");
  const perPage = Number(url.searchParams.get("limit") ?? "1000");
  const from = Number(url.searchParams.get("cursor") ?? "0");
  const all = [...found.tree].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, entry]) => listed(path, entry));
  url.searchParams.set("cursor", String(from + perPage));
  const next: Record<string, string> = from + perPage < all.length ? { link: `<${origin}${url.pathname}${url.search}>; rel="next"` } : {};
  return { status: 200, body: all.slice(from, from + perPage), headers: next };
}

function pathsInfo(found: Commit | undefined, body: Buffer): Answer {
  if (found === undefined) return refused(404, "Invalid rev id", "RevisionNotFound");
  const { paths } = JSON.parse(body.toString("utf8")) as { paths: string[] };
  return { status: 200, body: paths.flatMap((path) => { const entry = found.tree.get(path); return entry === undefined ? [] : [listed(path, entry)]; }) };
}

function commits({ space }: Hub, url: URL, origin: string): Answer {
  const limit = Number(url.searchParams.get("limit") ?? "50");
  const page = Number(url.searchParams.get("p") ?? "0");
  const all = space.repository.log().map(({ sha, title, description, author }) => ({ id: sha, title, message: description, authors: [{ user: author, avatar: "" }], date: "2026-11-21T08:00:00.000Z" }));
  url.searchParams.set("p", String(page + 1));
  const next: Record<string, string> = (page + 1) * limit < all.length ? { link: `<${origin}${url.pathname}${url.search}>; rel="next"` } : {};
  return { status: 200, body: all.slice(page * limit, (page + 1) * limit), headers: next };
}

function download(found: Commit | undefined, path: string, space: Space, range: string | undefined): Answer {
  const bytes = found === undefined ? undefined : space.repository.read(found, path);
  if (found === undefined) return refused(404, "Invalid rev id", "RevisionNotFound");
  if (bytes === undefined) return refused(404, "Entry not found", "EntryNotFound");
  const entry = found.tree.get(path)!;
  const headers = { etag: `"${entry.lfs?.oid ?? entry.oid}"`, "x-repo-commit": found.sha };
  const part = /^bytes=(\d+)-(\d+)$/.exec(range ?? "");
  if (part === null) return { status: 200, body: bytes, headers };
  const [from, to] = [Number(part[1]), Math.min(Number(part[2]), bytes.length - 1)];
  return { status: 206, body: bytes.subarray(from, to + 1), headers: { ...headers, "content-range": `bytes ${from}-${to}/${bytes.length}` } };
}

function preupload(space: Space, body: Buffer): Answer {
  const { files } = JSON.parse(body.toString("utf8")) as { files: { path: string; size: number; sample: string }[] };
  if (files.length > 100) return refused(400, "at most 100 files");
  const head = space.repository.commit("main")!;
  return { status: 200, body: { commitOid: head.sha, files: files.map(({ path, size }) => ({ path, uploadMode: space.repository.isLfs(path, size) ? "lfs" : "regular", shouldIgnore: false, ...(head.tree.has(path) ? { oid: head.tree.get(path)!.oid } : {}) })) } };
}

function commit(hub: Hub, body: Buffer, who: string): Answer {
  const operations = body.toString("utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Operation);
  const before = hub.space.repository.head;
  const made = hub.space.repository.apply(operations, who);
  if ("status" in made) return refused(made.status, made.error);
  hub.stale = { commit: before, left: hub.options.staleReads };
  hub.space.changed();
  return { status: 200, body: { success: true, commitOid: made.sha, commitUrl: `https://huggingface.co/spaces/${hub.space.name}/commit/${made.sha}`, hookOutput: "" } };
}

function exchangeToken(hub: Hub, body: Buffer): Answer {
  const asked = JSON.parse(body.toString("utf8")) as Record<string, string>;
  const failed = (error: string, description: string): Answer => ({ status: 400, body: { error, error_description: description } });
  if (asked["grant_type"] !== "urn:ietf:params:oauth:grant-type:token-exchange" || asked["subject_token_type"] !== "urn:ietf:params:oauth:token-type:id_token") return failed("unsupported_grant_type", "not a token exchange");
  if (asked["resource"] !== `spaces/${hub.space.name}`) return failed("invalid_target", "no such resource");
  const vouched = hub.options.vouches?.(asked["subject_token"] ?? "") ?? null;
  if (vouched === null || vouched.audience !== "https://huggingface.co") return failed("invalid_grant", "no trusted publisher matches this token");
  const token = `hf_jwt_${sha256(randomBytes(16)).slice(0, 40)}`;
  hub.issued.push(token);
  return { status: 200, body: { access_token: token, token_type: "bearer", expires_in: 3600, issued_token_type: "urn:ietf:params:oauth:token-type:access_token" } };
}

/** Server-sent events: what there is, then what comes, until the reader leaves. */
function streamLog(hub: Hub, which: "build" | "run", { authorization }: Exchange, response: ServerResponse): number {
  if (may(hub, authorization) === null) {
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
  response.on("close", () => { clearInterval(timer); });
  return 200;
}
