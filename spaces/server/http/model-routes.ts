import { cpus } from "node:os";
import type { FastifyInstance } from "fastify";
import type { Diagnostic } from "../../../models/core/errors.ts";
import { jobSettings } from "../../../models/core/manifest/jobs.ts";
import type { Slot } from "../serving/registry.ts";
import type { ServedModel } from "../serving/served-model.ts";
import type { Serving } from "./context.ts";
import { Problem } from "./problem.ts";

/** GET /models, /models/{id}, /model/info. */
export function modelRoutes(app: FastifyInstance, serving: Serving): void {
  const { registry } = serving;
  // Answers can only be compared bit for bit when the processor that made them is known.
  const deployment =
    serving.deployment === null
      ? {}
      : {
          deployment: serving.deployment.content,
          machine: { cpu: cpus()[0]?.model.trim() ?? "unknown" },
        };
  app.get("/models", () => ({
    default: registry.defaultSlot().id,
    models: registry.slots().map((slot) => brief(serving, slot)),
  }));
  app.get("/model/info", () => ({ ...whole(serving, registry.defaultSlot()), ...deployment }));
  app.get<{ Params: { id: string } }>("/models/:id", (request) => {
    const slot = registry.find(request.params.id);
    if (slot === undefined)
      throw new Problem(
        404,
        "unknown-model",
        `no model ${JSON.stringify(request.params.id.slice(0, 64))} is served here; GET /models lists them`,
      );
    return whole(serving, slot);
  });
}

function brief(serving: Serving, slot: Slot): Record<string, unknown> {
  const { state } = slot;
  const card = state.kind === "ready" ? state.model.card() : {};
  return {
    id: slot.id,
    state: state.kind === "ready" ? state.model.condition().state : state.kind,
    default: slot === serving.registry.defaultSlot(),
    ...(state.kind === "ready"
      ? { version: state.model.version, task: card["task"], description: card["description"], backend: card["backend"] }
      : {}),
    ...errorOf(slot),
  };
}

function errorOf({ state }: Slot): { error?: Diagnostic } {
  const diagnostic =
    state.kind === "broken" ? state.diagnostic : state.kind === "ready" ? state.model.condition().diagnostic : null;
  return diagnostic === null ? {} : { error: diagnostic };
}

/** What a file may be that the model answers in the background; null where it takes none. */
function jobLimits({ jobs, settings }: Serving, model: ServedModel): Record<string, number> | null {
  const { enabled, keepHours, maxRows, maxBytes } = model.jobs ?? jobSettings.parse({});
  if (jobs === null || !enabled) return null;
  return {
    maxBytes: Math.min(settings.jobsOwnerBytes, settings.jobsMaxBytes, maxBytes ?? Infinity),
    maxRows,
    keepHours: keepHours ?? settings.jobsKeepHours,
  };
}

function whole(serving: Serving, slot: Slot): Record<string, unknown> {
  const { state } = slot;
  if (state.kind !== "ready") return { ...brief(serving, slot), reload: slot.reload };
  const { maxRows, maxBodyBytes, maxQueueRows, maxQueueWaitMs, requestTimeoutMs } = serving.settings;
  const limits = {
    maxRows: Math.min(maxRows, state.model.maxRows ?? Infinity),
    maxBodyBytes,
    maxQueueRows,
    maxQueueWaitMs,
    requestTimeoutMs,
  };
  const { liveAt: _, ...load } = state.model.load();
  return {
    ...brief(serving, slot),
    ...state.model.card(),
    limits,
    jobs: jobLimits(serving, state.model),
    load,
    reload: slot.reload,
    reloads: slot.reloads,
  };
}
