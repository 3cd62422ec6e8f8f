import type { FastifyInstance, FastifyRequest } from "fastify";
import { CONTROL_HEADER } from "../../../models/core/rollout/plan.ts";
import { rolloutCommand, type RolloutStatus } from "../../../models/core/rollout/status.ts";
import { fieldPath } from "../../../models/core/field-path.ts";
import type { Feedback } from "../watch/feedback.ts";
import type { Rollout } from "../rollout/rollout.ts";
import type { ServedModel } from "../serving/served-model.ts";
import type { Serving } from "./context.ts";
import { Problem } from "./problem.ts";

type ById = { Params: { id: string } };

/** GET and POST /models/{id}/rollout. The first is for everybody, the second for whoever holds the key. */
export function rolloutRoutes(app: FastifyInstance, { rollout }: Serving, guarded: object): void {
  if (rollout === null) return;
  const ofModel = (request: FastifyRequest<ById>): Rollout => {
    if (request.params.id !== rollout.model)
      throw new Problem(404, "no-rollout", `no roll-out of ${JSON.stringify(request.params.id.slice(0, 64))} is here`);
    return rollout;
  };
  app.get<ById>("/models/:id/rollout", guarded, (request, reply): RolloutStatus => {
    void reply.header("cache-control", "no-store");
    return ofModel(request).status(request.headers[CONTROL_HEADER] !== undefined && requireKey(request, rollout));
  });
  app.post<ById>("/models/:id/rollout", guarded, (request): RolloutStatus => {
    const one = ofModel(request);
    requireKey(request, one);
    const parsed = rolloutCommand.safeParse(request.body);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      const field = fieldPath(issue.path, "");
      throw new Problem(422, "rollout-command", `${field === "" ? "" : `${field}: `}${issue.message}`, {
        errors: [{ field, problem: issue.message, expected: '{"rollout": "…", "from": -1, "step": 0}' }],
      });
    }
    const refused = one.command(parsed.data);
    if (refused !== null) throw new Problem(refused.status, refused.code, refused.problem);
    return one.status(true);
  });
}

/** @throws Problem 401 */
function requireKey(request: FastifyRequest, rollout: Rollout): true {
  const key = request.headers[CONTROL_HEADER];
  if (typeof key !== "string" || !rollout.isControl(key))
    throw new Problem(401, "rollout-key", `the header ${CONTROL_HEADER} with this roll-out's key is needed`);
  return true;
}

/** Feedback on the answers of both versions, which is the roll-out's evidence as well. */
export function feedbackOf(model: ServedModel, { rollout }: Serving): Feedback | null {
  const own = model.watch?.feedback ?? null;
  if (own === null || rollout === null || rollout.model !== model.id) return own;
  return {
    take(item) {
      const result = own.take(item);
      const taken = result.result === "unknown" ? (rollout.candidate()?.watch?.feedback?.take(item) ?? result) : result;
      if (taken.result === "recorded") {
        if (item.event !== undefined) rollout.event(item.predictionId, item.event, item.value ?? 1);
        else rollout.label(item.predictionId, item.head ?? null, item.label!);
      }
      return taken;
    },
    tally: () => own.tally(),
  };
}
