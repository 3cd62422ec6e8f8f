import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { TREE_HEADER } from "../../models/core/tree-digest.ts";
import { answerTensors } from "./v2/answer.ts";
import { ClientDisconnect } from "./scheduling/client-disconnect.ts";
import { bodyMemory, readBody } from "./http/body.ts";
import { onConnectionEnd } from "./http/connection.ts";
import { readyModel, type Serving } from "./http/context.ts";
import { parseJson } from "./http/json-body.ts";
import { wantsEvents } from "./http/negotiate.ts";
import { answerMany, answerOne } from "./http/predict.ts";
import { Problem } from "./http/problem.ts";
import { logAccess } from "./http/access-log.ts";
import { countRefusal, problemAnswer, toProblem } from "./http/to-problem.ts";

const JSON_TYPE = /^application\/json(?:;\s*charset=utf-8)?$/i;
const PREDICT = /^\/(?:models\/([\w.-]{1,64})\/)?predict(\/batch)?$/;
const INFER = /^\/v2\/models\/([\w.-]{1,64})(?:\/versions\/([\w.-]{1,64}))?\/infer$/;

type Kind = "one" | "many" | "tensors";
/** `model`: null for the default one; `route`: its name in logs and metrics. */
type Target = { kind: Kind; route: string; model: string | null; version: string | undefined };

const DEFAULT_ONE: Target = { kind: "one", route: "/predict", model: null, version: undefined };

/**
 * A fast path for the hot routes (one row, many rows, binary tensors): requests go from the socket straight to the
 * model, because the framework would cost more than a small model does. Anything unusual (API keys, rate limits, CORS,
 * chunked bodies, event streams, other media types) goes through Fastify. Both paths end in the same functions, so the
 * answers are the same.
 *
 * @returns whether it took the request.
 */
export function fastPath(
  serving: Serving,
  nextId: (raw: IncomingMessage) => string,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { settings, registry, metrics, log, lifecycle } = serving;
  if (serving.keys !== null || settings.rateLimit !== undefined || settings.cors !== "") return () => false;
  const memory = bodyMemory();
  const tree = serving.deployment === null ? [] : [TREE_HEADER, serving.deployment.tree];

  return (request, response) => {
    if (request.method !== "POST" || lifecycle.draining) return false;
    const url = request.url!;
    const { headers } = request;
    const target = targetOf(url);
    if (target === null || !ordinary(headers, target.kind)) return false;
    const length = Number(headers["content-length"]);
    if (!(length > 0 && length <= settings.maxBodyBytes)) return false;

    const startedAt = performance.now();
    const id = nextId(request);
    let model: string | null = null;
    metrics.began();
    const disconnect = new ClientDisconnect();
    let whole = false;
    const forget = onConnectionEnd(request.socket, () => {
      // A client that disconnects while it sends the body gets no answer, but the request still has to end.
      if (whole) disconnect.abort();
      else fail(new Problem(499, "cancelled", "the client went away"));
    });
    // Node writes a flat list of names and values as it is; it would have to walk through an object.
    const finish = (status: number, own: readonly string[], body: string | Buffer) => {
      forget();
      const bytes = typeof body === "string" ? Buffer.byteLength(body) : body.length;
      if (!response.destroyed) {
        const all = ["x-request-id", id, ...tree, "content-length", String(bytes), ...own];
        if (lifecycle.draining) all.push("connection", "close");
        response.writeHead(status, all);
        // As many bytes as characters means that the text is ASCII. latin1 then gives the same bytes as UTF-8, faster.
        response.end(body, bytes === body.length ? "latin1" : "utf8");
      }
      logAccess(serving, {
        id,
        method: "POST",
        route: target.route,
        status,
        startedAt,
        model,
        key: null,
        headers,
        responseBytes: bytes,
      });
    };
    const fail = (error: unknown) => {
      const problem = toProblem(error, log);
      countRefusal(metrics, model, problem);
      const answer = problemAnswer(problem, id, url);
      finish(answer.status, Object.entries(answer.headers).flat(), answer.body);
    };
    const answer = async (bytes: Buffer, release: () => void) => {
      try {
        const slot = target.model === null ? registry.defaultSlot() : registry.find(target.model);
        const served = readyModel(slot, target.model ?? slot!.id);
        if (target.kind === "tensors") {
          const answer = await answerTensors(
            serving,
            served,
            target.version,
            { id, startedAt, headers, body: bytes, response, disconnect },
            (asked) => {
              model = asked;
            },
          );
          // Only after success: when the request failed, a run may still be reading the body's memory.
          release();
          return finish(200, Object.entries(answer.headers).flat(), answer.body);
        }
        model = served.id;
        const body = parseJson(bytes);
        release();
        finish(
          200,
          JSON_ANSWER,
          await (target.kind === "one" ? answerOne : answerMany)(serving, served, {
            id,
            startedAt,
            headers,
            body,
            response,
            disconnect,
          }),
        );
      } catch (error) {
        fail(error);
      }
    };
    readBody(
      request,
      length,
      target.kind === "tensors" ? Number(headers["inference-header-content-length"]) : 0,
      memory,
      ({ bytes, release }) => {
        whole = true;
        void answer(bytes, release);
      },
    );
    return true;
  };
}

const JSON_ANSWER = ["content-type", "application/json; charset=utf-8"];

function targetOf(url: string): Target | null {
  if (url === "/predict") return DEFAULT_ONE;
  const predict = PREDICT.exec(url);
  if (predict !== null) {
    const [, model = null, batch = ""] = predict;
    return {
      kind: batch === "" ? "one" : "many",
      route: `${model === null ? "" : "/models/:id"}/predict${batch}`,
      model,
      version: undefined,
    };
  }
  const infer = INFER.exec(url);
  if (infer === null) return null;
  const [, model, version] = infer;
  return {
    kind: "tensors",
    route: `/v2/models/:name${version === undefined ? "" : "/versions/:version"}/infer`,
    model: model!,
    version,
  };
}

function ordinary(headers: IncomingHttpHeaders, kind: Kind): boolean {
  if (headers.expect !== undefined || headers["content-encoding"] !== undefined || wantsEvents(headers.accept))
    return false;
  const json = headers["inference-header-content-length"];
  const type = headers["content-type"] ?? "";
  if (kind === "tensors")
    return (
      typeof json === "string" &&
      /^\d{1,12}$/.test(json) &&
      (type === "application/octet-stream" || JSON_TYPE.test(type))
    );
  return json === undefined && JSON_TYPE.test(type);
}
