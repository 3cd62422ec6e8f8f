import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ServedModel } from "../serving/served-model.ts";
import { wantsEvents } from "./negotiate.ts";
import { exchangeOf, readyModel, type Exchange, type Serving } from "./context.ts";
import { FileBody, rowOfFiles } from "./file-body.ts";
import { answerMany, answerOne, streamOne } from "./predict.ts";

type ById = { Params: { id: string } };

/** POST /predict, /models/{id}/predict, and both with /batch and /stream. */
export function predictRoutes(app: FastifyInstance, serving: Serving, guarded: object): void {
  const named = (request: FastifyRequest<ById>) =>
    readyModel(serving.registry.find(request.params.id), request.params.id);
  const byDefault = () => {
    const slot = serving.registry.defaultSlot();
    return readyModel(slot, slot.id);
  };
  const withRow = async (model: ServedModel, exchange: Exchange): Promise<Exchange> =>
    exchange.body instanceof FileBody ? { ...exchange, body: await rowOfFiles(model, exchange.body) } : exchange;
  const respond = async (
    answer: typeof answerOne,
    model: ServedModel,
    request: FastifyRequest,
    reply: FastifyReply,
  ) => {
    request.modelId = model.id;
    void reply.type("application/json; charset=utf-8");
    return answer(serving, model, await withRow(model, exchangeOf(request, reply)));
  };
  const respondOne = (model: ServedModel, request: FastifyRequest, reply: FastifyReply) =>
    wantsEvents(request.headers.accept) ? stream(model, request, reply) : respond(answerOne, model, request, reply);
  const stream = async (model: ServedModel, request: FastifyRequest, reply: FastifyReply) => {
    request.modelId = model.id;
    const events = await streamOne(serving, model, await withRow(model, exchangeOf(request, reply)));
    // `x-accel-buffering: no`: a proxy that buffers would deliver all events at once, at the end.
    return reply
      .headers({ "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" })
      .send(Readable.from(events));
  };
  app.post("/predict", guarded, (request, reply) => respondOne(byDefault(), request, reply));
  app.post("/predict/stream", guarded, (request, reply) => stream(byDefault(), request, reply));
  app.post<ById>("/models/:id/predict/stream", guarded, (request, reply) => stream(named(request), request, reply));
  app.post("/predict/batch", guarded, (request, reply) => respond(answerMany, byDefault(), request, reply));
  app.post<ById>("/models/:id/predict", guarded, (request, reply) => respondOne(named(request), request, reply));
  app.post<ById>("/models/:id/predict/batch", guarded, (request, reply) =>
    respond(answerMany, named(request), request, reply),
  );
}
