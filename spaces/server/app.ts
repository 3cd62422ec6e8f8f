import { isIP, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { TREE_HEADER } from "../../models/core/tree-digest.ts";
import { v2Routes } from "./v2/routes.ts";
import type { Serving } from "./http/context.ts";
import { docsRoutes } from "./http/docs-routes.ts";
import { healthRoutes } from "./http/health-routes.ts";
import { parseJson } from "./http/json-body.ts";
import { keyOf } from "./http/keys.ts";
import { modelRoutes } from "./http/model-routes.ts";
import { pageRoutes } from "./http/page-routes.ts";
import { decodeBody } from "./http/decode-body.ts";
import { predictRoutes } from "./http/predict-routes.ts";
import { Problem } from "./http/problem.ts";
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

/** The HTTP application: every route, with API keys, limits, problem responses, logs and metrics around them. */
export async function createApp(serving: Serving): Promise<FastifyInstance> {
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
      // Clients of the binary tensor extension may declare JSON although tensors follow it.
      done(null, request.headers["inference-header-content-length"] === undefined ? parseJson(body) : body);
    } catch (error) {
      done(error as Error);
    }
  });
  app.addContentTypeParser<Buffer>(["application/octet-stream"], { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
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
  app.setErrorHandler((error: FastifyError, request, reply) =>
    answerProblem(serving, request, reply, toProblem(error, log)),
  );
  app.setNotFoundHandler((request, reply) => answerProblem(serving, request, reply, notFound(request, known)));

  if (settings.cors !== "")
    await app.register((await import("@fastify/cors")).default, {
      origin: settings.cors === "*" ? "*" : settings.cors.split(",").map((origin) => origin.trim()),
      methods: ["GET", "POST", "OPTIONS"],
      exposedHeaders: [
        "x-request-id",
        "x-prediction-id",
        "x-model-version",
        "retry-after",
        "inference-header-content-length",
      ],
      maxAge: 600,
    });
  if (settings.rateLimit !== undefined)
    await app.register((await import("@fastify/rate-limit")).default, {
      global: false,
      keyGenerator: (request) => request.keyName ?? addressOf(request),
      errorResponseBuilder: (_request, context) =>
        new Problem(429, "rate-limit", `more than ${context.max} requests a minute`, {
          headers: { "retry-after": String(Math.max(1, Math.ceil(context.ttl / 1000))) },
        }),
    });
  const guarded = {
    onRequest:
      serving.keys === null
        ? []
        : [
            (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
              const key = keyOf(request.headers);
              request.keyName = key === null ? null : serving.keys!.nameOf(key);
              done(
                request.keyName === null
                  ? new Problem(
                      401,
                      "api-key",
                      key === null ? "an API key is needed: Authorization: Bearer KEY" : "the API key is not known",
                      { headers: { "www-authenticate": "Bearer" } },
                    )
                  : undefined,
              );
            },
          ],
    ...(settings.rateLimit === undefined
      ? {}
      : { config: { rateLimit: { max: settings.rateLimit, timeWindow: 60_000 } } }),
  };
  healthRoutes(app, serving);
  modelRoutes(app, serving);
  predictRoutes(app, serving, guarded);
  watchRoutes(app, serving, guarded);
  rolloutRoutes(app, serving, guarded);
  v2Routes(app, serving, guarded);
  docsRoutes(app, serving);
  pageRoutes(app, serving, settings.uiDir ?? fileURLToPath(new URL("../ui/", import.meta.url)));
  return app;
}

/**
 * A body of no type, or of one that is not read here. Clients of the Open Inference Protocol send none: then the header
 * says whether tensors follow the JSON.
 *
 * @throws Problem 415, 400
 */
function parseUntyped(request: FastifyRequest, body: Buffer): unknown {
  const given = request.headers["content-type"];
  if (given !== undefined || request.routeOptions.url?.endsWith("/infer") !== true)
    throw new Problem(
      415,
      "media-type",
      `${given === undefined ? "no Content-Type" : `Content-Type ${given.slice(0, 80)}`}; expected application/json`,
    );
  return request.headers["inference-header-content-length"] === undefined ? parseJson(body) : body;
}

/** The client's address. What a header says in place of an address is not one. */
const addressOf = (request: FastifyRequest): string =>
  isIP(request.ip) === 0 ? (request.socket.remoteAddress ?? "unknown") : request.ip;

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
