import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ServedModel } from "../serving/served-model.ts";
import { exchangeOf, readyModel, type Serving } from "./context.ts";
import { answerMany, answerOne } from "./predict.ts";

type ById = { Params: { id: string } };

/** POST /predict, /models/{id}/predict and the same with /batch. */
export function predictRoutes(app: FastifyInstance, serving: Serving, guarded: object): void {
  const named = (request: FastifyRequest<ById>) => readyModel(serving.registry.find(request.params.id), request.params.id);
  const byDefault = () => {
    const slot = serving.registry.defaultSlot();
    return readyModel(slot, slot.id);
  };
  const respond = (answer: typeof answerOne, model: ServedModel, request: FastifyRequest, reply: FastifyReply) => {
    request.modelId = model.id;
    void reply.type("application/json; charset=utf-8");
    return answer(serving, model, exchangeOf(request, reply));
  };
  app.post("/predict", guarded, (request, reply) => respond(answerOne, byDefault(), request, reply));
  app.post("/predict/batch", guarded, (request, reply) => respond(answerMany, byDefault(), request, reply));
  app.post<ById>("/models/:id/predict", guarded, (request, reply) => respond(answerOne, named(request), request, reply));
  app.post<ById>("/models/:id/predict/batch", guarded, (request, reply) => respond(answerMany, named(request), request, reply));
}
