import type { FastifyInstance, FastifyRequest } from "fastify";
import { exchangeOf, readyModel, type Serving } from "../http/context.ts";
import { Problem } from "../http/problem.ts";
import type { ServedModel, TensorInterface } from "../serving/served-model.ts";
import { answerTensors, checkVersion, tensorInterfaceOf } from "./answer.ts";
import { datatypeOf } from "./datatypes.ts";
import { modelConfiguration } from "./model-configuration.ts";
import { modelStatistics } from "./statistics.ts";

type Named = { Params: { name: string; version?: string } };

/** Open Inference Protocol v2 over REST, with the binary tensor extension. The tensors are the graph's own. */
export function v2Routes(app: FastifyInstance, serving: Serving, guarded: object): void {
  const { registry, lifecycle } = serving;
  const versioned = (request: FastifyRequest<Named>): ServedModel => {
    const { name, version } = request.params;
    const model = readyModel(registry.find(name), name);
    checkVersion(model, version);
    return model;
  };

  app.get("/v2", () => ({
    name: "sluice",
    version: serving.version,
    extensions: [
      "binary_tensor_data",
      "classification",
      "model_configuration",
      "model_repository(index)",
      "statistics",
    ],
  }));
  app.get("/v2/health/live", () => ({ live: true }));
  app.get("/v2/health/ready", (_request, reply) => {
    // The protocol says "all the models are ready", so one broken model makes this false, whereas /readyz names the
    // broken model and stays ready.
    const ready = !lifecycle.draining && registry.slots().every((slot) => slot.state.kind === "ready");
    return reply.code(ready ? 200 : 503).send({ live: ready, ready });
  });
  // Triton's extensions that clients ask. What changes models by HTTP is left out: a model comes by a deployment.
  app.post("/v2/repository/index", () =>
    registry.slots().map(({ id, state }) => ({
      name: id,
      ...(state.kind === "ready" ? { version: state.model.version } : {}),
      state: state.kind === "ready" ? "READY" : state.kind === "broken" ? "UNAVAILABLE" : "LOADING",
      reason: state.kind === "broken" ? "the model could not be loaded" : "",
    })),
  );
  app.get("/v2/models/stats", async () => ({
    model_stats: await Promise.all(
      registry
        .slots()
        .flatMap(({ state }) =>
          state.kind === "ready" ? [modelStatistics(serving.metrics.registry, state.model)] : [],
        ),
    ),
  }));
  for (const path of ["/v2/models/:name", "/v2/models/:name/versions/:version"]) {
    app.get<Named>(path, (request) => {
      const model = versioned(request);
      const { inputs, outputs } = tensorInterfaceOf(model);
      return {
        name: model.id,
        versions: [model.version],
        platform: "onnx_onnxv1",
        inputs: inputs.map(metadata),
        outputs: outputs.map(metadata),
      };
    });
    app.get<Named>(`${path}/config`, (request) => {
      const model = versioned(request);
      return modelConfiguration(model, tensorInterfaceOf(model), serving.settings.maxRows);
    });
    app.get<Named>(`${path}/stats`, async (request) => ({
      model_stats: [await modelStatistics(serving.metrics.registry, versioned(request))],
    }));
    app.get<Named>(`${path}/ready`, (request, reply) => {
      const { name, version } = request.params;
      const slot = registry.find(name);
      if (slot === undefined)
        throw new Problem(404, "unknown-model", `no model ${JSON.stringify(name.slice(0, 64))} is served here`);
      const ready =
        slot.state.kind === "ready" &&
        slot.state.model.tensors !== null &&
        (version === undefined || version === slot.state.model.version);
      return reply.code(ready ? 200 : 503).send({ name: slot.id, ready });
    });
    app.post<Named>(`${path}/infer`, guarded, async (request, reply) => {
      const { name, version } = request.params;
      const { body, headers } = await answerTensors(
        serving,
        readyModel(registry.find(name), name),
        version,
        exchangeOf(request, reply),
        (model) => {
          request.modelId = model;
        },
      );
      return reply.headers(headers).send(typeof body === "string" ? Buffer.from(body) : body);
    });
  }
}

const metadata = ({ name, dtype, shape }: TensorInterface["inputs"][number]) => ({
  name,
  datatype: datatypeOf(dtype),
  shape: shape.map((size) => (typeof size === "number" ? size : -1)),
});
