import { EvaluationError } from "../errors.ts";
import { dynamicExport } from "./contract.ts";
import { readOnnxHeader, type OnnxHeader } from "../artifact/onnx-file.ts";
import type { VerifiedModel } from "../artifact/artifact.ts";

/**
 * Reads the file's header and refuses a file that no runtime could open.
 *
 * @throws EvaluationError saying what the file is instead.
 */
export function checkOnnxFile(model: VerifiedModel): OnnxHeader {
  const reading = readOnnxHeader(model.bytes);
  if (!reading.ok)
    throw new EvaluationError({
      code: reading.code,
      place: model.source,
      problem: reading.problem,
      expected: "a whole ONNX file (serialized ModelProto)",
      received: reading.received,
    });
  const given = new Set(model.externalData.map((file) => file.path));
  const missing = reading.header.externalLocations.filter((location) => !given.has(location));
  if (missing.length > 0) {
    throw new EvaluationError({
      code: "model-external-data",
      place: model.source,
      problem: "the model keeps weights in files that the manifest does not name",
      expected: `artifact.externalData with ${missing.join(", ")}`,
      received: given.size === 0 ? "no external data" : [...given].join(", "),
      example: `externalData:\n  - path: ${missing[0]}\n    sha256: <what \`sha256sum ${missing[0]}\` prints>`,
    });
  }
  return reading.header;
}

/**
 * Turns the runtime's refusal to open a model into a clear error, one code per cause. Where the cause needs it, the
 * first line of the runtime's message is kept.
 */
export function explainCreateFailure(
  error: unknown,
  model: VerifiedModel,
  header: OnnxHeader,
  runtime: string,
  provider: string,
): EvaluationError {
  const message = error instanceof Error ? error.message : String(error);
  const make = (code: string, problem: string, expected: string, received: string, hint?: string) =>
    new EvaluationError(
      { code, place: model.source, problem, expected, received, ...(hint === undefined ? {} : { hint }) },
      { cause: error },
    );
  const opsets = header.opsets.map(({ domain, version }) => `${domain || "ai.onnx"} ${version}`).join(", ");
  if (
    /Opset \d+ is under development|only \*guarantees\* support|under development and support for this is limited/i.test(
      message,
    )
  )
    return make(
      "model-unknown-opset",
      "the model's operator set is newer than the runtime",
      `an operator set that ${runtime} knows`,
      opsets,
      "export the model with an older opset, or raise onnxruntime-node",
    );
  if (/unsupported model ir version/i.test(message))
    return make(
      "model-unknown-opset",
      "the model's format version is newer than the runtime",
      `an IR version that ${runtime} knows`,
      `IR version ${header.irVersion}`,
      "export the model with an older onnx, or raise onnxruntime-node",
    );
  const operator =
    /No Op registered for (\S+) with/.exec(message)?.[1] ??
    /(?:^|\s)(\S+?)\(-?\d+\) is not a registered function\/op/.exec(message)?.[1] ??
    /Could not find an implementation for (\S+?)(?:\(|\s)/.exec(message)?.[1];
  if (operator !== undefined)
    return make(
      "model-unknown-operator",
      `the model uses the operator ${operator}, which the runtime does not know`,
      `operators of ${runtime}`,
      `${operator} (operator sets: ${opsets})`,
    );
  if (/external initializer|external data|model_path must not be empty/i.test(message))
    return make(
      "model-external-data",
      "the model's external data does not fit it",
      "external-data files of this very model",
      firstLine(message),
    );
  if (/provider|shared library|adapter|CUDA|cuDNN|device/i.test(message) && provider !== "cpu")
    return providerUnavailable(model.source, provider, firstLine(message), error);
  if (/protobuf parsing failed/i.test(message))
    return make(
      "model-not-onnx",
      "not an ONNX file",
      "a whole ONNX file (serialized ModelProto)",
      `${model.bytes.length} bytes that cannot be parsed`,
    );
  return make("model-refused", "the runtime refuses the model", `a model that ${runtime} can run`, firstLine(message));
}

/**
 * Turns a failed run into a clear error. A node that only takes another number of rows than it was fed is told apart,
 * because the export is then to blame, not the data.
 */
export function explainRunFailure(
  error: unknown,
  feeds: Readonly<Record<string, { dims: readonly number[] }>>,
): EvaluationError {
  const message = error instanceof Error ? error.message : String(error);
  const [, operator, name] = /running (\S+) node\. Name:\s*'([^']*)'/.exec(message) ?? [];
  const [first] = Object.entries(feeds);
  const rows = first?.[1].dims[0];
  const node = operator === undefined ? null : `the node ${name || "without a name"} (${operator})`;
  if (node !== null && rows !== undefined && rows > 1 && /shape|dimension|cannot be broadcast/i.test(message))
    return new EvaluationError(
      {
        code: "static-batch",
        problem: `the model failed on ${rows} rows: ${node} takes another number of rows`,
        expected: "a graph that takes any number of rows",
        received: shapesIn(message) ?? firstLine(message),
        hint: dynamicExport(first?.[0] ?? "input"),
      },
      { cause: error },
    );
  return new EvaluationError(
    {
      code: "run-failed",
      problem: `the model failed while it ran${node === null ? "" : `, at ${node}`}`,
      expected: "an answer",
      received: firstLine(message),
    },
    { cause: error },
  );
}

/** `Input shape:{2,3}, requested shape:{1,3}` of the runtime's message, as shapes. */
function shapesIn(message: string): string | null {
  const found = [...message.matchAll(/([A-Za-z ]*shape):\s*\{([\d,-]*)\}/g)];
  return found.length === 0
    ? null
    : found
        .map(([, what = "", sizes = ""]) => `${what.trim().toLowerCase()} [${sizes.replaceAll(",", ", ")}]`)
        .join(", ");
}

/**
 * Every provider but cpu fails closed: figures of a fallback must not pass as figures of the provider that was asked
 * for.
 */
export function providerUnavailable(
  place: string,
  provider: string,
  received: string,
  cause?: unknown,
): EvaluationError {
  return new EvaluationError(
    {
      code: "provider-unavailable",
      place,
      problem: `the execution provider ${provider} is not in use`,
      expected: `nodes of the model run by ${provider}`,
      received,
      hint: "run on a machine that has it, or set runtime.provider: cpu",
    },
    { cause },
  );
}

const PROVIDER_NAMES = {
  cpu: "CPUExecutionProvider",
  cuda: "CUDAExecutionProvider",
  webgpu: "WebGpuExecutionProvider",
};

/**
 * @param nodes number of nodes per execution provider, from a profiled run. Some nodes (shapes) may stay on the CPU; if
 *   the provider runs none, it was not used.
 * @throws EvaluationError provider-unavailable
 */
export function requireProvider(
  nodes: Readonly<Record<string, number>>,
  provider: keyof typeof PROVIDER_NAMES,
  place: string,
): void {
  if ((nodes[PROVIDER_NAMES[provider]] ?? 0) > 0) return;
  throw providerUnavailable(
    place,
    provider,
    `nodes run by ${
      Object.entries(nodes)
        .map(([name, count]) => `${name} (${count})`)
        .join(", ") || "no provider at all"
    }`,
  );
}

const firstLine = (text: string) =>
  (text.split("\n").find((line) => line.trim() !== "") ?? "no message").trim().slice(0, 300);
