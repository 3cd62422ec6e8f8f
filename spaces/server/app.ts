import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { TREE_HEADER } from "../../models/core/tree-digest.ts";
import { v2Routes } from "./v2/routes.ts";
import { addressOf } from "./http/address.ts";
import type { Serving } from "./http/context.ts";
import { gradioRoutes } from "./gradio/routes.ts";
import { docsRoutes } from "./http/docs-routes.ts";
import { drainBody } from "./http/drain-body.ts";
import { healthRoutes } from "./http/health-routes.ts";
import { jobRoutes } from "./http/job-routes.ts";
import { parseJson } from "./http/json-body.ts";
import { keyOf } from "./http/keys.ts";
import { modelRoutes } from "./http/model-routes.ts";
import { pageRoutes } from "./http/page-routes.ts";
import { decodeBody } from "./http/decode-body.ts";
import { takeFiles } from "./http/file-body.ts";
import { predictRoutes } from "./http/predict-routes.ts";
import { Problem } from "./http/problem.ts";
import { problemRoutes } from "./http/problem-routes.ts";
import { RequestLimits } from "./http/request-limits.ts";
import { streamRoutes } from "./http/stream-routes.ts";
import { uploadRoutes } from "./http/upload-routes.ts";
import { rolloutRoutes } from "./http/rollout-routes.ts";
import { watchRoutes } from "./http/watch-routes.ts";
import { logAccess } from "./http/access-log.ts";
import { requestIds } from "./http/request-id.ts";
import { fastPath } from "./fast-path.ts";
import { countRefusal, problemAnswer, toProblem } from "./http/to-problem.ts";
import { onResponseEnd } from "./http/on-response-end.ts";

/**
 * Not imported as a module: that would evaluate every export of node:http, one of which loads a WebSocket client. It
 * would take a tenth of the start-up time.
 */
const { createServer } = process.getBuiltinModule("node:http");

/**
 * The HTTP application: every route, with API keys, limits, problem responses, logs and metrics around them.
 *
 * @param streams whether a model may take a stream of sound
 */
export async function createApp(serving: Serving, { streams = false } = {}): Promise<FastifyInstance> {
  const { settings, metrics, log } = serving;
  const nextId = requestIds();
  const tryFastPath = fastPath(serving, nextId);
  const app = Fastify({
    bodyLimit: settings.maxBodyBytes,
    trustProxy:
      typeof settings.trustProxy === "number"
        ? // Counted from this server: the address that the last trusted proxy saw. Clients can only add to the left.
          (_address: string, hop: number) => hop < (settings.trustProxy as number)
        : settings.trustProxy,
    logger: false,
    exposeHeadRoutes: true,
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 128 },
    genReqId: nextId,
    serverFactory: (handler) =>
      createServer(
        {
          // Without these limits, a request whose head or body trickles in would hold its socket forever.
          headersTimeout: 20_000,
          requestTimeout: settings.requestTimeoutMs + 30_000,
          keepAliveTimeout: 75_000,
          maxHeaderSize: 16 * 1024,
          connectionsCheckingInterval: 5_000,
        },
        (request, response) => {
          const handle = () => {
            if (!tryFastPath(request, response)) handler(request, response);
          };
          if (serving.lifecycle.held === null) handle();
          else void serving.lifecycle.held.then(handle);
        },
      ),
    frameworkErrors: (error, request, reply) =>
      answerProblem(serving, request as FastifyRequest, reply as FastifyReply, toProblem(error, log)),
    clientErrorHandler: answerBrokenRequest,
  });
  // Rows are checked against the schema of their model, which is known only when the request arrives.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>(["application/json"], { parseAs: "buffer" }, (request, body, done) => {
    try {
      checkCharset(request.headers["content-type"]);
      // Clients of the binary tensor extension may declare JSON although tensors follow it.
      done(null, request.headers["inference-header-content-length"] === undefined ? parseJson(body) : body);
    } catch (error) {
      done(error as Error);
    }
  });
  app.addContentTypeParser<Buffer>(["application/octet-stream"], { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  takeFiles(app);
  app.addContentTypeParser<Buffer>("*", { parseAs: "buffer" }, (request, body, done) => {
    try {
      done(null, parseUntyped(request, body));
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook("preParsing", decodeBody(settings.maxBodyBytes));

  const known = knownRoutes(app);
  app.decorateRequest("startedAt", 0);
  app.decorateRequest("modelId", null);
  app.decorateRequest("keyName", null);
  app.addHook("onRequest", (request, reply, done) => {
    request.startedAt = performance.now();
    metrics.began();
    // Fastify's own event is not used: it never fires for a request whose client disconnects half-way.
    onResponseEnd(request.raw.socket, reply.raw, () =>
      logAccess(serving, {
        id: request.id,
        method: request.method,
        route: request.routeOptions.url ?? "unmatched",
        status: reply.raw.writableFinished ? reply.raw.statusCode : 499,
        startedAt: request.startedAt,
        model: request.modelId,
        key: request.keyName,
        headers: request.headers,
        responseBytes: Number(reply.getHeader("content-length") ?? 0) || 0,
      }),
    );
    void reply.header("x-request-id", request.id);
    if (serving.deployment !== null) void reply.header(TREE_HEADER, serving.deployment.tree);
    if (serving.lifecycle.draining) void reply.header("connection", "close");
    done();
  });
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    await drainBody(request.raw);
    return answerProblem(serving, request, reply, toProblem(error, log));
  });
  app.setNotFoundHandler((request, reply) => answerProblem(serving, request, reply, notFound(request, known)));

  if (settings.cors !== "")
    await app.register((await import("@fastify/cors")).default, {
      origin: settings.cors === "*" ? "*" : settings.cors.split(",").map((origin) => origin.trim()),
      methods: ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"],
      exposedHeaders: [
        "x-request-id",
        "x-prediction-id",
        "x-model-version",
        "x-cache",
        "retry-after",
        "ratelimit",
        "ratelimit-policy",
        "inference-header-content-length",
        "location",
        "tus-resumable",
        "tus-version",
        "tus-extension",
        "tus-max-size",
        "upload-offset",
        "upload-length",
        "upload-expires",
      ],
      maxAge: 600,
    });
  const callerOf = (request: FastifyRequest) => request.keyName ?? addressOf(request);
  const limits =
    settings.rateLimit === undefined
      ? null
      : new RequestLimits({ requests: settings.rateLimit, rows: settings.rateLimitRows }, callerOf);
  const guarded = {
    onRequest: [
      ...(serving.keys === null ? [] : [checkKey(serving.keys)]),
      ...(limits === null ? [] : [limits.countRequest]),
    ],
    ...(limits === null ? {} : { preHandler: limits.countRows }),
  };
  healthRoutes(app, serving);
  modelRoutes(app, serving);
  predictRoutes(app, serving, guarded);
  if (streams) await streamRoutes(app, serving, guarded);
  watchRoutes(app, serving, guarded);
  await jobRoutes(app, serving, guarded);
  await uploadRoutes(app, serving, guarded);
  rolloutRoutes(app, serving, guarded);
  v2Routes(app, serving, guarded);
  gradioRoutes(app, serving, guarded);
  const uiDir = settings.uiDir ?? fileURLToPath(new URL("../ui/", import.meta.url));
  docsRoutes(app, serving, uiDir);
  problemRoutes(app);
  pageRoutes(app, serving, uiDir);
  return app;
}

/** JSON is UTF-8 (RFC 8259); another charset would be read wrongly. @throws Problem 415 */
function checkCharset(type: string | undefined): void {
  const charset = /;\s*charset="?([^";\s]+)/i.exec(type ?? "")?.[1];
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset))
    throw new Problem(415, "media-type", `charset ${charset.slice(0, 40)}; expected application/json in UTF-8`);
}

/** Lets only requests with a known key pass. */
function checkKey(keys: NonNullable<Serving["keys"]>) {
  return (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void => {
    const key = keyOf(request.headers);
    request.keyName = key === null ? null : keys.nameOf(key);
    const problem = key === null ? "an API key is needed: Authorization: Bearer KEY" : "the API key is not known";
    done(
      request.keyName === null
        ? new Problem(401, "api-key", problem, { headers: { "www-authenticate": "Bearer" } })
        : undefined,
    );
  };
}

/**
 * A body of no type, or of one that is not read here. Clients of the Open Inference Protocol send none: then the header
 * says whether tensors follow the JSON.
 *
 * @throws Problem 415, 400
 */
function parseUntyped(request: FastifyRequest, body: Buffer): unknown {
  // Whatever it sends: nothing is at this path.
  if (request.is404) return null;
  const given = request.headers["content-type"];
  if (given !== undefined || request.routeOptions.url?.endsWith("/infer") !== true)
    throw new Problem(
      415,
      "media-type",
      `${given === undefined ? "no Content-Type" : `Content-Type ${given.slice(0, 80)}`}; expected application/json`,
    );
  return request.headers["inference-header-content-length"] === undefined ? parseJson(body) : body;
}

/** The registered routes: a known path with another method answers 405, an unknown path 404. */
function knownRoutes(app: FastifyInstance): (path: string) => string[] {
  const known: { methods: string[]; pattern: RegExp }[] = [];
  app.addHook("onRoute", ({ method, url }) => {
    known.push({
      methods: [method].flat(),
      pattern: new RegExp(`^${url.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(/:\w+/g, "[^/]+")}/?$`),
    });
  });
  return (path) => [...new Set(known.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))];
}

function notFound(request: FastifyRequest, known: (path: string) => string[]): Problem {
  const path = request.url.split("?", 1)[0]!;
  const methods = known(path);
  return methods.length === 0 || methods.includes(request.method)
    ? new Problem(404, "not-found", `nothing is at ${path.slice(0, 200)}; GET /openapi.json lists what is`)
    : new Problem(405, "method-not-allowed", `${request.method} is not answered here`, {
        headers: { allow: methods.join(", ") },
      });
}

function answerProblem(serving: Serving, request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  countRefusal(serving.metrics, request.modelId, problem);
  const answer = problemAnswer(problem, request.id, request.url);
  // Sent as bytes: to a string Fastify would add a charset, which these media types do not have.
  return reply
    .code(answer.status)
    .headers({ "x-request-id": request.id, ...answer.headers })
    .send(Buffer.from(answer.body));
}

/** Answers bytes that are not HTTP, which never become a request, and closes the connection. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const [status, code] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? ([431, "headers-too-large"] as const)
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ([408, "request-timeout"] as const)
        : ([400, "not-http"] as const);
  const body = JSON.stringify(new Problem(status, code).body);
  socket.end(
    `HTTP/1.1 ${status} ${code}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
