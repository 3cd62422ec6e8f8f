import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { ResponseCache } from "./response-cache.ts";
import type { JobsHolder } from "../jobs/holder.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { ClientDisconnect } from "../scheduling/client-disconnect.ts";
import type { RequestDeadline } from "../scheduling/scheduler.ts";
import type { Registry, Slot } from "../serving/registry.ts";
import type { ServedModel } from "../serving/served-model.ts";
import type { Settings } from "../settings/settings.ts";
import type { KeyRing } from "./keys.ts";
import type { Rollout } from "../rollout/rollout.ts";
import { Problem } from "./problem.ts";

/** What every route uses. */
export type Serving = {
  settings: Settings;
  registry: Registry;
  metrics: Metrics;
  log: Logger;
  cache: ResponseCache;
  keys: KeyRing | null;
  /** Null where jobs are switched off. */
  jobs: JobsHolder | null;
  /** `held`: while the port is closing, requests wait for this before they are handled. */
  lifecycle: { draining: boolean; held: Promise<void> | null };
  /** The Space's deployment.json and the digest that every answer carries; null outside a Space. */
  deployment: { content: unknown; tree: string } | null;
  /** A candidate beside the live version; null where there is none. */
  rollout: Rollout | null;
  version: string;
};

declare module "fastify" {
  interface FastifyRequest {
    /** By performance.now(). */
    startedAt: number;
    /** Id of the requested model, for logs and metrics. */
    modelId: string | null;
    keyName: string | null;
  }
}

/** @throws Problem 404 for an id that is not served, 503 while it is loading or broken. */
export function readyModel(slot: Slot | undefined, id: string): ServedModel {
  if (slot === undefined)
    throw new Problem(
      404,
      "unknown-model",
      `no model ${JSON.stringify(id.slice(0, 64))} is served here; GET /models lists them`,
    );
  if (slot.state.kind === "loading")
    throw new Problem(503, "not-ready", `the model ${slot.id} is being loaded`, { headers: { "retry-after": "1" } });
  if (slot.state.kind === "broken")
    throw new Problem(
      503,
      "model-broken",
      `the model ${slot.id} could not be loaded; GET /models/${slot.id} tells why`,
      { headers: { "retry-after": "30" } },
    );
  return slot.state.model;
}

/** What a handler needs of a request, whether it came through Fastify or the fast path. */
export type Exchange = {
  id: string;
  /** By performance.now(). */
  startedAt: number;
  headers: IncomingHttpHeaders;
  body: unknown;
  response: ServerResponse;
  /** Set when the caller already watches for a disconnect. */
  disconnect?: ClientDisconnect;
};

export function exchangeOf(request: FastifyRequest, reply: FastifyReply): Exchange {
  return {
    id: request.id,
    startedAt: request.startedAt,
    headers: request.headers,
    body: request.body,
    response: reply.raw,
  };
}

/**
 * How long a request may take (`x-request-timeout-ms` or the server's maximum, whichever is less), and whether its
 * client is still there.
 *
 * @throws Problem 400 when the header is not a whole number of milliseconds.
 */
export function requestDeadlineOf(exchange: Exchange, settings: Pick<Settings, "requestTimeoutMs">): RequestDeadline {
  const asked = exchange.headers["x-request-timeout-ms"];
  let timeoutMs = settings.requestTimeoutMs;
  if (asked !== undefined) {
    const given = typeof asked === "string" && /^\d{1,9}$/.test(asked) ? Number(asked) : 0;
    if (given === 0)
      throw new Problem(400, "bad-header", "x-request-timeout-ms is not a whole number of milliseconds of at least 1", {
        errors: [{ field: "x-request-timeout-ms", problem: "not a positive whole number", expected: "1 to 600000" }],
      });
    timeoutMs = Math.min(timeoutMs, given);
  }
  return {
    deadlineAt: exchange.startedAt + timeoutMs,
    disconnect: exchange.disconnect ?? ClientDisconnect.of(exchange.response),
  };
}
