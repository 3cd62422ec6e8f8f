import { randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { LRUCache } from "lru-cache";
import { exchangeOf, type Serving } from "../http/context.ts";
import { FileBody } from "../http/file-body.ts";
import { answerOne } from "../http/predict.ts";
import { Problem } from "../http/problem.ts";
import { toProblem } from "../http/to-problem.ts";
import { configuration, endpoints, information, type Endpoint } from "./endpoints.ts";
import { Uploads } from "./uploads.ts";

type Named = { Params: { api: string } };
type Outcome = { event: "complete"; data: unknown[] } | { event: "error"; data: string };

/** Calls whose result nobody has fetched yet. */
const maxCalls = 1000;
const keptMs = 60_000;

/**
 * The routes of a Gradio app that its clients use (`@gradio/client`, curl as Gradio documents it), so that code written
 * for a Gradio Space calls a Space of ours. Each model is a function of its fields.
 */
export function gradioRoutes(app: FastifyInstance, serving: Serving, guarded: object): void {
  const uploads = new Uploads(4 * serving.settings.maxBodyBytes);
  const calls = new LRUCache<string, Outcome>({ max: maxCalls, ttl: keptMs });

  app.get("/config", () => configuration(serving.version, endpoints(serving)));
  app.get("/gradio_api/info", () => information(endpoints(serving)));

  app.post("/gradio_api/upload", guarded, (request) => {
    if (!(request.body instanceof FileBody))
      throw new Problem(415, "media-type", "expected multipart/form-data with parts named files");
    return uploads.add(request.body);
  });

  app.post<Named>("/gradio_api/run/:api", guarded, async (request, reply) => {
    try {
      return { data: [await call(request, reply)], is_generating: false, duration: elapsedSeconds(request) };
    } catch (error) {
      const problem = toProblem(error, serving.log);
      // These clients show `error`, not a problem's detail.
      return reply.code(problem.body.status).send({ error: problem.message });
    }
  });

  // The answer is made here, so that the call has this request's deadline and limits, and fetched by the next request.
  app.post<Named>("/gradio_api/call/:api", guarded, async (request, reply) => {
    endpointOf(request);
    const id = randomBytes(16).toString("hex");
    const outcome = await call(request, reply).then(
      (answer): Outcome => ({ event: "complete", data: [answer] }),
      (error: unknown): Outcome => ({ event: "error", data: toProblem(error, serving.log).message }),
    );
    calls.set(id, outcome);
    return { event_id: id };
  });

  app.get<{ Params: { api: string; event: string } }>("/gradio_api/call/:api/:event", (request, reply) => {
    const outcome = calls.get(request.params.event);
    if (outcome === undefined)
      throw new Problem(404, "not-found", "no such call here: it is older than a minute, or its result was fetched");
    calls.delete(request.params.event);
    const { event, data } = outcome;
    return reply
      .headers({ "content-type": "text/event-stream", "cache-control": "no-store" })
      .send(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  });

  function endpointOf(request: FastifyRequest<Named>): Endpoint {
    const found = endpoints(serving).find(({ api }) => api === request.params.api);
    if (found === undefined)
      throw new Problem(
        404,
        "unknown-model",
        `no model ${JSON.stringify(request.params.api.slice(0, 64))} is served here`,
      );
    return found;
  }

  async function call(request: FastifyRequest<Named>, reply: FastifyReply): Promise<unknown> {
    const endpoint = endpointOf(request);
    request.modelId = endpoint.model.id;
    const row = rowOf(endpoint, (request.body as { data?: unknown } | null)?.data);
    return JSON.parse(
      await answerOne(serving, endpoint.model, { ...exchangeOf(request, reply), body: row }),
    ) as unknown;
  }

  /** The positional values of a call as a row; what is left out or null stays out, unless the field is needed. */
  function rowOf({ parameters }: Endpoint, data: unknown): Record<string, unknown> {
    const example = `{"data": [${parameters.map(({ name }) => name).join(", ")}]}`;
    if (!Array.isArray(data)) throw new Problem(422, "bad-row", `no list of values; expected ${example}`);
    if (data.length > parameters.length)
      throw new Problem(422, "bad-row", `${data.length} values; the model takes ${parameters.length}: ${example}`);
    return Object.fromEntries(
      parameters.flatMap(({ name, required }, i) => {
        const value: unknown = data[i];
        return value === undefined || (value === null && !required) ? [] : [[name, fileOr(value)]];
      }),
    );
  }

  function fileOr(value: unknown): unknown {
    const path = (value as { path?: unknown } | null)?.path;
    return typeof path === "string" ? uploads.base64(path) : value;
  }
}

const elapsedSeconds = (request: FastifyRequest) => (performance.now() - request.startedAt) / 1000;
