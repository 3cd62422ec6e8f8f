import type { IncomingMessage, ServerResponse } from "node:http";
import type { Serving } from "./context.ts";
import { readyModel } from "./context.ts";
import { parseJson } from "./json-body.ts";
import { answerOne } from "./predict.ts";
import { Problem } from "./problem.ts";
import { record } from "./record.ts";
import { countRefusal, problemAnswer, toProblem } from "./to-problem.ts";

const JSON_TYPE = /^application\/json(?:;\s*charset=utf-8)?$/i;
const ONE_MODEL = /^\/models\/([\w.-]{1,64})\/predict$/;

/**
 * The short way of the one hot route: a single row of plain JSON goes from the socket to the model past the framework,
 * which would cost more than a small model does. Whatever is out of the ordinary (keys, limits, CORS, chunked or large
 * bodies, other types) takes Fastify's way; both end in the same functions, so that the answers are the same.
 *
 * @returns whether it took the request.
 */
export function shortWay(serving: Serving, nextId: (raw: IncomingMessage) => string): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { settings, registry, metrics, log, lifecycle } = serving;
  if (serving.keys !== null || settings.rateLimit !== undefined || settings.cors !== "") return () => false;

  return (request, response) => {
    if (request.method !== "POST") return false;
    const url = request.url!;
    const named = url === "/predict" ? null : ONE_MODEL.exec(url);
    if (named === null && url !== "/predict") return false;
    const { headers } = request;
    const length = Number(headers["content-length"]);
    if (!(length > 0 && length <= settings.maxBodyBytes) || !JSON_TYPE.test(headers["content-type"] ?? "") || headers.expect !== undefined || headers["inference-header-content-length"] !== undefined || headers["content-encoding"] !== undefined || lifecycle.draining || headers.accept?.includes("text/event-stream") === true) return false;

    const startedAt = performance.now();
    const id = nextId(request);
    let model: string | null = null;
    metrics.began();
    const finish = (status: number, type: Record<string, string>, body: string) => {
      const bytes = Buffer.byteLength(body);
      if (!response.destroyed) {
        response.writeHead(status, { "x-request-id": id, ...type, "content-length": bytes, ...(lifecycle.draining ? { connection: "close" } : {}) });
        response.end(body);
      }
      record(serving, { id, method: "POST", route: named === null ? "/predict" : "/models/:id/predict", status, startedAt, model, key: null, headers, responseBytes: bytes });
    };
    const fail = (error: unknown) => {
      const problem = toProblem(error, log);
      countRefusal(metrics, model, problem);
      const answer = problemAnswer(problem, id, url);
      finish(answer.status, answer.headers, answer.body);
    };
    const answer = async (body: Buffer) => {
      try {
        const slot = named === null ? registry.defaultSlot() : registry.find(named[1]!);
        const served = readyModel(slot, named?.[1] ?? slot!.id);
        model = served.id;
        finish(200, { "content-type": "application/json; charset=utf-8" }, await answerOne(serving, served, { id, startedAt, headers, body: parseJson(body), response }));
      } catch (error) {
        fail(error);
      }
    };
    const chunks: Buffer[] = [];
    let over = false;
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      over = true;
      void answer(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    });
    // The client left in the middle of its body; there is nobody to answer, but the request is over.
    request.on("close", () => { if (!over) fail(new Problem(499, "cancelled", "the client went away")); });
    request.on("error", () => {});
    return true;
  };
}
