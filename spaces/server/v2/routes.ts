import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { exchangeOf, patienceOf, readyModel, type Serving } from "../http/context.ts";
import { Problem } from "../http/problem.ts";
import type { ServedModel, TensorFace } from "../serving/served-model.ts";
import { datatypeOf } from "./datatypes.ts";
import { readInference, writeInference } from "./infer.ts";

type Named = { Params: { name: string; version?: string } };

/** Open Inference Protocol v2 over REST, with the binary tensor extension. The tensors are the graph's own. */
export function v2Routes(app: FastifyInstance, serving: Serving, guarded: object): void {
  const { registry, lifecycle } = serving;
  const versioned = (request: FastifyRequest<Named>): ServedModel => {
    const { name, version } = request.params;
    const model = readyModel(registry.find(name), name);
    if (version !== undefined && version !== model.version) throw new Problem(404, "unknown-version", `model ${name} has version ${model.version}, not ${version.slice(0, 64)}`);
    return model;
  };

  app.get("/v2", () => ({ name: "sluice", version: serving.version, extensions: ["binary_tensor_data"] }));
  app.get("/v2/health/live", () => ({ live: true }));
  app.get("/v2/health/ready", (_request, reply) => {
    // "all the models are ready": one that is broken makes this false, while /readyz tells about it and stays.
    // Remote models have no tensors and are none of the protocol's.
    const ready = !lifecycle.draining && registry.slots().every((slot) => slot.state.kind === "ready");
    return reply.code(ready ? 200 : 503).send({ live: ready });
  });
  for (const path of ["/v2/models/:name", "/v2/models/:name/versions/:version"]) {
    app.get<Named>(path, (request) => {
      const model = versioned(request);
      const { inputs, outputs } = faceOf(model);
      return { name: model.id, versions: [model.version], platform: "onnx_onnxv1", inputs: inputs.map(metadata), outputs: outputs.map(metadata) };
    });
    app.get<Named>(`${path}/ready`, (request, reply) => {
      const { name, version } = request.params;
      const slot = registry.find(name);
      if (slot === undefined) throw new Problem(404, "unknown-model", `no model ${JSON.stringify(name.slice(0, 64))} is served here`);
      const ready = slot.state.kind === "ready" && slot.state.model.tensors !== null && (version === undefined || version === slot.state.model.version);
      return reply.code(ready ? 200 : 503).send({ name: slot.id, ready });
    });
    app.post<Named>(`${path}/infer`, guarded, (request, reply) => infer(serving, versioned(request), request, reply));
  }
}

async function infer(serving: Serving, model: ServedModel, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  request.modelId = model.id;
  const patience = patienceOf(exchangeOf(request, reply), serving.settings);
  const face = faceOf(model);
  const inference = readInference(request.body, headerLength(request), face, serving.settings.maxRows);
  const { outputs } = await face.run(inference.feeds, [...new Set(inference.outputs.map(({ name }) => name))], inference.rows, patience);
  const { body, headers } = writeInference(model, inference, outputs);
  return reply.headers(headers).send(typeof body === "string" ? Buffer.from(body) : body);
}

/** @throws Problem 400 when the header is no length; 415 when bytes come without it. */
function headerLength(request: FastifyRequest): number | null {
  const given = request.headers["inference-header-content-length"];
  if (given === undefined) {
    if (Buffer.isBuffer(request.body)) throw new Problem(415, "media-type", "application/octet-stream needs Inference-Header-Content-Length");
    return null;
  }
  if (typeof given !== "string" || !/^\d{1,12}$/.test(given)) throw new Problem(400, "bad-header", "Inference-Header-Content-Length is not a number of bytes");
  return Number(given);
}

function faceOf(model: ServedModel): TensorFace {
  if (model.tensors === null) throw new Problem(400, "no-tensors", `the model ${model.id} has no graph here`);
  return model.tensors;
}

const metadata = ({ name, dtype, shape }: TensorFace["inputs"][number]) => ({ name, datatype: datatypeOf(dtype), shape: shape.map((size) => (typeof size === "number" ? size : -1)) });
