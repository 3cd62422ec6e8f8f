import type { FastifyInstance } from "fastify";
import type { Serving } from "./context.ts";

/** GET /livez, /readyz, /metrics. */
export function healthRoutes(app: FastifyInstance, serving: Serving): void {
  const { registry, lifecycle, metrics } = serving;
  app.get("/livez", () => ({ status: "alive" }));
  app.get("/readyz", (_request, reply) => {
    const ready = !lifecycle.draining && registry.ready();
    if (!ready) void reply.code(503).header("retry-after", "1");
    return {
      status: lifecycle.draining ? "draining" : ready ? "ready" : "starting",
      models: Object.fromEntries(
        registry
          .slots()
          .map((slot) => [slot.id, slot.state.kind === "ready" ? slot.state.model.condition().state : slot.state.kind]),
      ),
    };
  });
  app.get("/metrics", async (_request, reply) => {
    const text = await metrics.registry.metrics();
    return reply.type(metrics.registry.contentType).send(text);
  });
}
