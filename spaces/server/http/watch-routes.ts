import type { FastifyInstance, FastifyRequest } from "fastify";
import { fieldPath } from "../../../models/core/field-path.ts";
import { feedbackItem, type Feedback, type FeedbackResult } from "../watch/feedback.ts";
import type { ServedModel } from "../serving/served-model.ts";
import { readyModel, type Serving } from "./context.ts";
import { feedbackOf } from "./rollout-routes.ts";
import { Problem, type FieldProblem } from "./problem.ts";

type ById = { Params: { id: string }; Querystring: { hours?: string } };

/** Items of one request at most. */
const MAX_ITEMS = 1000;
const KEPT_HOURS = 336;

/** GET /models/{id}/watch, POST /models/{id}/feedback. */
export function watchRoutes(app: FastifyInstance, serving: Serving, guarded: object): void {
  app.get<ById>("/models/:id/watch", guarded, (request, reply) => {
    const model = modelOf(serving, request);
    if (model.watch === null)
      throw new Problem(404, "not-watched", `${model.id} has no artifact, so nothing is counted of it`);
    void reply.header("cache-control", "no-store");
    return model.watch.snapshot(hoursOf(request.query.hours));
  });

  app.post<ById>("/models/:id/feedback", guarded, (request) => {
    const model = modelOf(serving, request);
    const feedback = feedbackOf(model, serving);
    if (feedback === null)
      throw new Problem(
        409,
        "no-feedback",
        `${model.id} takes no labels here: it was deployed without a profile, or none of its heads has single labels or numbers`,
      );
    const many = (request.body as { feedback?: unknown } | null)?.feedback;
    if (many === undefined) return one(serving, model, feedback, request.body);
    if (!Array.isArray(many) || many.length === 0 || many.length > MAX_ITEMS)
      throw unusable([
        { field: "feedback", problem: "not a list of feedback", expected: `a list of 1 to ${MAX_ITEMS} objects` },
      ]);
    const results = many.map((item: unknown, i) => {
      const result = read(feedback, item, `feedback[${i}]`);
      serving.metrics.feedback(model.id, result.result);
      return result;
    });
    const count = (word: FeedbackResult["result"]) => results.filter(({ result }) => result === word).length;
    const [recorded, repeated] = [count("recorded"), count("repeated")];
    return { recorded, repeated, refused: results.length - recorded - repeated, results };
  });
}

function modelOf(serving: Serving, request: FastifyRequest<ById>): ServedModel {
  const model = readyModel(serving.registry.find(request.params.id), request.params.id);
  request.modelId = null;
  return model;
}

/** @throws Problem 400 */
function hoursOf(given: string | undefined): number {
  if (given === undefined) return KEPT_HOURS;
  const hours = /^\d{1,4}$/.test(given) ? Number(given) : 0;
  if (hours < 1 || hours > KEPT_HOURS)
    throw new Problem(400, "bad-query", "hours is not a whole number of hours", {
      errors: [
        {
          field: "hours",
          problem: "not a number of hours",
          expected: `1 to ${KEPT_HOURS}`,
          received: given.slice(0, 20),
        },
      ],
    });
  return hours;
}

const STATUS = { invalid: 422, unknown: 404, conflict: 409 } as const;

function one(serving: Serving, model: ServedModel, feedback: Feedback, body: unknown): FeedbackResult {
  const result = read(feedback, body, "");
  serving.metrics.feedback(model.id, result.result);
  if (!("field" in result)) return result;
  const { field, problem, expected } = result;
  throw new Problem(
    STATUS[result.result],
    `feedback-${result.result}`,
    field === "" ? problem : `${field}: ${problem}`,
    {
      errors: [{ field, problem, ...(expected === undefined ? {} : { expected }) }],
    },
  );
}

function read(feedback: Feedback, body: unknown, at: string): FeedbackResult {
  const parsed = feedbackItem.safeParse(body);
  if (parsed.success) {
    const result = feedback.take(parsed.data);
    return "field" in result ? { ...result, field: fieldPath([result.field], at) } : result;
  }
  const issue = parsed.error.issues[0]!;
  return {
    result: "invalid",
    field: fieldPath(issue.path, at),
    problem: issue.message,
    expected: '{"predictionId": "…", "label": …} or {"predictionId": "…", "event": "click", "value": 1}',
  };
}

const unusable = (errors: FieldProblem[]) =>
  new Problem(422, "feedback-invalid", errors.map(({ field, problem }) => `${field}: ${problem}`).join("; "), {
    errors,
  });
