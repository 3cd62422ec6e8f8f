import { requestDeadlineOf, type Exchange, type Serving } from "../http/context.ts";
import { Problem } from "../http/problem.ts";
import type { ServedModel, TensorInterface } from "../serving/served-model.ts";
import { readInference, writeInference, type InferAnswer } from "./infer.ts";

/**
 * Answers one inference request of the protocol. The body is parsed JSON, or bytes if a header says how many of them
 * are JSON.
 *
 * @param onModel called with the model's id once its version is known to be the requested one.
 * @throws Problem 400, 404, 415; Refused; EvaluationError when the runtime refuses the tensors.
 */
export async function answerTensors(
  serving: Serving,
  model: ServedModel,
  version: string | undefined,
  exchange: Exchange,
  onModel: (model: string) => void,
): Promise<InferAnswer> {
  checkVersion(model, version);
  onModel(model.id);
  const requestDeadline = requestDeadlineOf(exchange, serving.settings);
  const face = tensorInterfaceOf(model);
  const inference = readInference(exchange.body, headerLength(exchange), face, serving.settings.maxRows);
  const { outputs } = await face.run(
    inference.feeds,
    [...new Set(inference.outputs.map(({ name }) => name))],
    inference.rows,
    requestDeadline,
  );
  return writeInference(model, inference, outputs);
}

/** @throws Problem 404 for a version that is not served. */
export function checkVersion(model: ServedModel, version: string | undefined): void {
  if (version !== undefined && version !== model.version)
    throw new Problem(
      404,
      "unknown-version",
      `model ${model.id} has version ${model.version}, not ${version.slice(0, 64)}`,
    );
}

/** @throws Problem 400 for a model without a graph. */
export function tensorInterfaceOf(model: ServedModel): TensorInterface {
  if (model.tensors === null) throw new Problem(400, "no-tensors", `the model ${model.id} has no graph here`);
  return model.tensors;
}

/** @throws Problem 400 when the header is not a length; 415 when bytes come without it. */
function headerLength({ headers, body }: Exchange): number | null {
  const given = headers["inference-header-content-length"];
  if (given === undefined) {
    if (Buffer.isBuffer(body))
      throw new Problem(415, "media-type", "application/octet-stream needs Inference-Header-Content-Length");
    return null;
  }
  if (typeof given !== "string" || !/^\d{1,12}$/.test(given))
    throw new Problem(400, "bad-header", "Inference-Header-Content-Length is not a number of bytes");
  return Number(given);
}
