import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { deviceFlow, type Logins } from "./device-flow.ts";
import { takeFault } from "./exchange.ts";
import { requirePermission } from "./permissions.ts";
import { botLogin, type Caller } from "./tokens.ts";
import {
  notFound,
  Refusal,
  userOf,
  type Answer,
  type Json,
  type RecordedExchange,
  type Request,
  type Routes,
  type World,
} from "./world.ts";

const documentation = "https://docs.github.com/rest";
const maxBytes = 16 * 1024 * 1024;

/** The HTTP server: checks tokens, applies faults, records the transcript and dispatches to the routes. */
export function createGitHubServer(world: World, routes: readonly Routes[], logins: Logins): Server {
  return createServer((request, response) => {
    serve(world, routes, logins, request, response).catch((error: unknown) => {
      world.problems.push(error instanceof Error ? error : new Error(String(error)));
      if (!response.headersSent) response.writeHead(500, { "content-type": "application/json; charset=utf-8" });
      response.end(JSON.stringify({ message: "Server Error" }));
    });
  });
}

async function serve(
  world: World,
  routes: readonly Routes[],
  logins: Logins,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(incoming.url ?? "/", world.origin);
  const method = incoming.method ?? "GET";
  const text = await readText(incoming);
  const door =
    url.pathname === "/graphql"
      ? "graphql"
      : url.pathname.startsWith("/login/")
        ? "login"
        : url.pathname === "/oidc/token"
          ? "oidc"
          : url.pathname.startsWith("/_download/")
            ? "download"
            : "rest";
  const caller =
    door === "oidc" || door === "download" || door === "login"
      ? { kind: "anonymous" as const, login: "" }
      : world.tokens.callerOf(incoming.headers.authorization);

  const fault = takeFault(world.faults, method, url.pathname)?.does;
  if (fault?.kind === "hang") return;
  if (fault?.kind === "reset") return void incoming.socket.resetAndDestroy();
  const body = parse(text);
  let answer: Answer = body instanceof SyntaxError ? refusal(400, "Problems parsing JSON") : { status: 0 };
  if (fault?.kind === "answer") answer = { ...refusal(fault.status, fault.message), headers: fault.headers ?? {} };
  else if (answer.status === 0)
    answer = await answerTo(
      world,
      routes,
      logins,
      { method, url, body: body as Json | undefined, headers: incoming.headers },
      caller,
      door,
    );
  if (fault?.kind === "accept-then-fail") answer = refusal(fault.status, "Server Error");

  // An answer that the caller has already does not count against the caller's limit.
  const etag =
    door === "rest" && method === "GET" && answer.status === 200 && answer.raw === undefined
      ? `W/"${createHash("sha256").update(JSON.stringify(answer.body)).digest("hex")}"`
      : null;
  const notModified = etag !== null && incoming.headers["if-none-match"] === etag;
  const rate =
    notModified || caller === null || (door !== "rest" && door !== "graphql")
      ? {}
      : world.tokens.rate(caller, world.now()).headers;
  world.transcript.push({
    door,
    method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    authorization: world.keepsAuthorization ? (incoming.headers.authorization ?? null) : null,
    body,
    status: answer.status,
    answer: answer.raw === undefined ? answer.body : undefined,
    owner: caller === null ? "bad credentials" : caller.login || "anonymous",
    runId: caller?.kind === "job" ? caller.runId : null,
    at: world.now().toISOString(),
    notModified,
  });
  if (fault?.kind === "accept-then-reset") return void incoming.socket.resetAndDestroy();
  if (fault?.kind === "accept-then") {
    fault.run();
    return void incoming.socket.destroy();
  }
  response.writeHead(notModified ? 304 : answer.status, {
    "content-type": "application/json; charset=utf-8",
    "x-github-media-type": "github.v3; format=json",
    "x-github-request-id": `R${world.transcript.length}`,
    ...(etag === null ? {} : { etag }),
    ...rate,
    ...answer.headers,
  });
  if (notModified) return void response.end();
  response.end(answer.raw ?? (answer.body === undefined ? undefined : JSON.stringify(answer.body)));
}

type Asked = {
  method: string;
  url: URL;
  body: Json | undefined;
  headers: Record<string, string | string[] | undefined>;
};

async function answerTo(
  world: World,
  routes: readonly Routes[],
  logins: Logins,
  asked: Asked,
  caller: Caller | null,
  door: RecordedExchange["door"],
): Promise<Answer> {
  const { method, url, body, headers } = asked;
  if (door === "oidc")
    return world.tokens.idToken(method, url, String(headers["authorization"] ?? "")) ?? refusal(404, "Not Found");
  if (door === "download") return (await world.downloads.get(url.pathname)?.()) ?? { status: 404, raw: "Not Found" };
  if (door === "login")
    return deviceFlow(logins, method, url.pathname, body ?? {}, world.origin) ?? refusal(404, "Not Found");
  if (caller === null) return refusal(401, "Bad credentials");
  try {
    return await withinApi(world, routes, {
      method,
      url,
      body: body ?? {},
      headers,
      query: url.searchParams,
      rest: "",
      caller,
    });
  } catch (error) {
    if (error instanceof Refusal) return refusal(error.status, error.message, error.errors);
    throw error;
  }
}

async function withinApi(world: World, routes: readonly Routes[], request: Request): Promise<Answer> {
  const { method, url, body, caller } = request;
  const path = url.pathname;
  if (path === "/graphql") return graphql(method, body, caller);
  if (path === "/rate_limit" && method === "GET") return { status: 200, body: rateLimit(world, caller) };
  if (path === "/user" && method === "GET") {
    if (caller.kind === "anonymous") throw new Refusal(401, "Requires authentication");
    if (caller.kind === "job") throw new Refusal(403, "Resource not accessible by integration");
    return { status: 200, body: userOf(world, caller.login) };
  }
  const person = /^\/users\/([^/]+)$/.exec(path);
  if (person !== null && method === "GET") {
    const user = world.users.get(decodeURIComponent(person[1] ?? "").toLowerCase());
    if (user === undefined) throw notFound();
    return { status: 200, body: user };
  }
  const [, fullName = "", rest = ""] = /^\/repos\/([^/]+\/[^/]+)(?:\/(.*))?$/.exec(path) ?? [];
  const repository = world.repositories.get(fullName.toLowerCase());
  if (repository === undefined) throw notFound();
  const within = { ...request, rest, repository };
  requirePermission(within);
  for (const room of routes) {
    const answer = await room(world, within);
    if (answer !== null) return answer;
  }
  throw notFound();
}

/** Answers only one query: who owns this token. */
function graphql(method: string, { query }: Json, caller: Caller): Answer {
  if (method !== "POST" || typeof query !== "string")
    return refusal(400, "A query attribute must be specified and must be a string.");
  if (caller.kind === "anonymous") return refusal(401, "This endpoint requires you to be authenticated.");
  if (!/^\s*(query\s*\w*\s*)?\{\s*viewer\s*\{\s*login\s*\}\s*\}\s*$/.test(query))
    return {
      status: 200,
      body: {
        data: null,
        errors: [{ type: "NOT_IMPLEMENTED", message: "This stand-in answers only viewer { login }." }],
      },
    };
  return {
    status: 200,
    body: { data: { viewer: { login: caller.login === botLogin ? "github-actions[bot]" : caller.login } } },
  };
}

function rateLimit(world: World, caller: Caller): Json {
  const { headers } = world.tokens.rate(caller, world.now());
  const core = {
    limit: Number(headers["x-ratelimit-limit"]),
    remaining: Number(headers["x-ratelimit-remaining"]),
    reset: Number(headers["x-ratelimit-reset"]),
    used: Number(headers["x-ratelimit-used"]),
  };
  return { resources: { core, search: core, graphql: core }, rate: core };
}

function refusal(status: number, message: string, errors?: readonly unknown[]): Answer {
  return {
    status,
    body: {
      message,
      ...(errors === undefined ? {} : { errors }),
      documentation_url: documentation,
      status: String(status),
    },
  };
}

function parse(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return error;
  }
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += (chunk as Buffer).length;
    if (size > maxBytes) throw new Error(`a request of more than ${maxBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
