import type { z } from "zod";
import { CONTROL_HEADER } from "../../../models/core/rollout/plan.ts";
import { rolloutCommand, rolloutStatus } from "../../../models/core/rollout/status.ts";

const answer = {
  description: "Step, evidence and decision",
  content: { "application/json": { schema: ref("Rollout") } },
};

function ref(name: string) {
  return { $ref: `#/components/schemas/${name}` };
}

export const rolloutSchemas = (schemaOf: (schema: z.ZodType) => object): Record<string, object> => ({
  Rollout: schemaOf(rolloutStatus),
  RolloutCommand: schemaOf(rolloutCommand),
});

/** The roll-out of a model. */
export function rolloutPaths(id: string): Record<string, object> {
  return {
    [`/models/${id}/rollout`]: {
      get: {
        tags: [id],
        summary: `How the candidate beside ${id} is doing: the step, the evidence and the decision so far`,
        responses: { "200": answer },
      },
      post: {
        tags: [id],
        summary: "Begins a step, hands back what a restart has lost, or ends the roll-out",
        parameters: [{ name: CONTROL_HEADER, in: "header", required: true, schema: { type: "string" } }],
        requestBody: { required: true, content: { "application/json": { schema: ref("RolloutCommand") } } },
        responses: {
          "200": answer,
          "401": { description: "Not the key of this roll-out" },
          "409": { description: "Another roll-out or step, or it has ended" },
          "422": { description: "Not a command" },
        },
      },
    },
  };
}
