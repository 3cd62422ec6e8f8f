import type { Dtype, GraphTensor, TensorMetadata } from "../../../models/core/tensors.ts";
import { fieldPath } from "../../../models/core/field-path.ts";
import { Problem } from "../http/problem.ts";
import type { TensorInterface } from "../serving/served-model.ts";
import { classify } from "./classification.ts";
import { datatypeOf, dtypeOf, ELEMENT_BYTES } from "./datatypes.ts";
import { decodeBinary, decodeJson, product } from "./decode.ts";
import { encodeOutput } from "./encode.ts";
import { inferenceRequest, type InferenceRequest } from "./schema.ts";

export type Inference = {
  id: string | undefined;
  feeds: Record<string, GraphTensor>;
  rows: number;
  /** `classes`: the classification extension asks for this many of the largest values, as texts. */
  outputs: { name: string; binary: boolean; classes?: number }[];
};
export type InferAnswer = { body: string | Buffer; headers: Record<string, string> };

const bad = (detail: string) => new Problem(400, "inference-request", detail);

/**
 * Turns a request of the protocol into feeds of the graph.
 *
 * @param body the parsed JSON, or all bytes of the body when `headerLength` says how many of them are JSON. With a
 *   `headerLength` of 0, the whole body is the data of the model's only input.
 * @throws Problem 400 naming the input.
 */
export function readInference(
  body: unknown,
  headerLength: number | null,
  face: Pick<TensorInterface, "inputs" | "outputs" | "largest">,
  maxRows: number,
): Inference {
  if (headerLength === null) return interpret(body, Buffer.alloc(0), face, maxRows);
  if (!Buffer.isBuffer(body)) throw bad("Inference-Header-Content-Length needs a body");
  if (headerLength > body.length)
    throw bad(`Inference-Header-Content-Length is ${headerLength}, but the body has ${body.length} bytes`);
  if (headerLength === 0) return rawInput(body, face, maxRows);
  const text = body.toString("utf8", 0, headerLength);
  const known = layouts.get(face)?.get(text);
  if (known !== undefined && known.bytes === body.length - headerLength) return placed(known, body, headerLength);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw bad(`the first ${headerLength} bytes of the body are not JSON`);
  }
  const inference = interpret(json, body.subarray(headerLength), face, maxRows);
  remember(face, text, inference, body.length - headerLength);
  return inference;
}

/** A header that was checked before, with the positions of its inputs in the bytes after it. */
type Layout = Omit<Inference, "feeds"> & {
  bytes: number;
  inputs: { name: string; dtype: Dtype; dims: readonly number[]; from: number; to: number }[];
};

const layouts = new WeakMap<object, Map<string, Layout>>();
const MAX_LAYOUTS = 16;
const MAX_HEADER_CHARACTERS = 2048;

/**
 * Keeps a checked header. A client sends the same one before every batch of the same size, and checking it costs as
 * much as a small run. A header that itself holds data is not kept.
 */
function remember(face: object, text: string, { id, rows, outputs, feeds }: Inference, bytes: number): void {
  if (text.length > MAX_HEADER_CHARACTERS) return;
  const inputs: Layout["inputs"] = [];
  let at = 0;
  for (const [name, { dtype, dims, data }] of Object.entries(feeds)) {
    // Texts have no fixed size, and a name made of digits does not keep its position among an object's keys.
    if (!("byteLength" in data) || /^\d+$/.test(name)) return;
    inputs.push({ name, dtype, dims, from: at, to: (at += data.byteLength) });
  }
  // Some of the data was in the header itself.
  if (at !== bytes) return;
  const kept = layouts.get(face) ?? new Map<string, Layout>();
  layouts.set(face, kept);
  if (kept.size >= MAX_LAYOUTS) kept.clear();
  kept.set(text, { id, rows, outputs, bytes, inputs });
}

/** @throws Problem 400 for bytes that are no valid value of their type. */
function placed({ id, rows, outputs, inputs }: Layout, body: Buffer, headerLength: number): Inference {
  const feeds: Record<string, GraphTensor> = {};
  for (const { name, dtype, dims, from, to } of inputs)
    feeds[name] = decodeBinary(name, dtype, dims, body.subarray(headerLength + from, headerLength + to));
  return { id, feeds, rows, outputs };
}

function interpret(
  json: unknown,
  binary: Buffer,
  face: Pick<TensorInterface, "inputs" | "outputs" | "largest">,
  maxRows: number,
): Inference {
  const parsed = inferenceRequest.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw bad(`${fieldPath(issue.path) || "the request"}: ${issue.message}`);
  }
  const request = parsed.data;
  const feeds: Record<string, GraphTensor> = {};
  const sizes = new Map<string, number>();
  let at = 0;
  for (const input of request.inputs) {
    const facts = face.inputs.find(({ name }) => name === input.name);
    if (facts === undefined)
      throw bad(
        `the model has no input ${input.name.slice(0, 64)}; it has ${face.inputs.map(({ name }) => name).join(", ")}`,
      );
    if (Object.hasOwn(feeds, input.name)) throw bad(`input ${input.name} stands twice`);
    checkInput(input, facts, face.largest[input.name] ?? [], maxRows, sizes);
    const dtype = dtypeOf(input.datatype)!;
    const size = input.parameters?.["binary_data_size"];
    if (size === undefined) feeds[input.name] = decodeJson(input.name, dtype, input.shape, input.data);
    else {
      if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0 || at + size > binary.length)
        throw bad(
          `input ${input.name}: binary_data_size is ${String(size).slice(0, 32)}, but ${binary.length - at} bytes are left after the JSON`,
        );
      if (input.data !== undefined) throw bad(`input ${input.name} has both data and binary_data_size`);
      feeds[input.name] = decodeBinary(input.name, dtype, input.shape, binary.subarray(at, at + size));
      at += size;
    }
  }
  if (at !== binary.length) throw bad(`${binary.length - at} bytes are left over after the inputs`);
  const missing = face.inputs.find(({ name }) => !Object.hasOwn(feeds, name));
  if (missing !== undefined) throw bad(`nothing feeds the input ${missing.name}`);
  return {
    id: request.id ?? undefined,
    feeds,
    rows: request.inputs[0]!.shape[0] ?? 1,
    outputs: wantedOutputs(request, face),
  };
}

function checkInput(
  input: InferenceRequest["inputs"][number],
  facts: TensorMetadata,
  largest: readonly number[],
  maxRows: number,
  sizes: Map<string, number>,
): void {
  const expected = datatypeOf(facts.dtype);
  if (input.datatype !== expected || dtypeOf(expected) === undefined)
    throw bad(`input ${input.name} is ${expected}, not ${input.datatype.slice(0, 32)}`);
  const received = `[${input.shape.join(", ")}]`;
  const wanted = `[${facts.shape.map((size) => (typeof size === "number" ? size : -1)).join(", ")}]`;
  if (input.shape.length !== facts.shape.length) throw bad(`input ${input.name} has shape ${wanted}, not ${received}`);
  facts.shape.forEach((size, i) => {
    const given = input.shape[i]!;
    if (typeof size === "number" && given !== size)
      throw bad(`input ${input.name} has shape ${wanted}, not ${received}`);
    if (given < 1) throw bad(`input ${input.name}: a dimension of ${given}; at least 1 is needed`);
    const most = typeof size === "number" ? size : i === 0 ? maxRows : (largest[i] ?? maxRows);
    if (given > most) throw bad(`input ${input.name}: dimension ${i} is ${given}; at most ${most} is taken`);
    // Dimensions with the same name must agree over all inputs. The runtime itself fails late and with an unclear
    // message.
    if (typeof size === "string" && size !== "") {
      const known = sizes.get(size);
      if (known !== undefined && known !== given)
        throw bad(`input ${input.name}: dimension ${i} (${size}) is ${given}, but it is ${known} in another input`);
      sizes.set(size, given);
    }
  });
}

function wantedOutputs(request: InferenceRequest, face: Pick<TensorInterface, "outputs">): Inference["outputs"] {
  const all = request.parameters?.["binary_data_output"] === true;
  if (request.outputs == null || request.outputs.length === 0)
    return face.outputs.map(({ name }) => ({ name, binary: all }));
  return request.outputs.map((output) => {
    if (!face.outputs.some(({ name }) => name === output.name))
      throw bad(
        `the model has no output ${output.name.slice(0, 64)}; it has ${face.outputs.map(({ name }) => name).join(", ")}`,
      );
    const own = output.parameters?.["binary_data"];
    const classes = output.parameters?.["classification"];
    if (classes !== undefined && (typeof classes !== "number" || !Number.isSafeInteger(classes) || classes < 0))
      throw bad(`output ${output.name}: classification is not a whole number`);
    return {
      name: output.name,
      binary: typeof own === "boolean" ? own : all,
      ...(classes === undefined || classes === 0 ? {} : { classes }),
    };
  });
}

/**
 * Reads a body that is the data of the model's only input. At most one size may vary; it follows from the number of
 * bytes.
 */
function rawInput(
  body: Buffer,
  face: Pick<TensorInterface, "inputs" | "outputs" | "largest">,
  maxRows: number,
): Inference {
  const [input, second] = face.inputs;
  const dtype = dtypeOf(datatypeOf(input!.dtype));
  if (
    second !== undefined ||
    dtype === undefined ||
    dtype === "string" ||
    input!.shape.filter((size) => typeof size === "string").length > 1
  )
    throw bad(
      "a body without JSON is only understood by a model with one input of numbers and at most one size that varies",
    );
  const fixed = product(input!.shape.filter((size) => typeof size === "number"));
  const shape = input!.shape.map((size) =>
    typeof size === "number" ? size : body.length / (fixed * ELEMENT_BYTES[dtype]),
  );
  if (!shape.every(Number.isSafeInteger)) throw bad(`${body.length} bytes are no whole number of rows`);
  const request = {
    inputs: [{ name: input!.name, shape, datatype: datatypeOf(dtype), parameters: { binary_data_size: body.length } }],
    parameters: { binary_data_output: true },
  };
  return interpret(request, body, face, maxRows);
}

/** Writes $inference_response, followed by the outputs' bytes if they were asked for. */
export function writeInference(
  model: { id: string; version: string },
  inference: Inference,
  outputs: Readonly<Record<string, GraphTensor>>,
): InferAnswer {
  const encoded = inference.outputs.map(({ name, binary, classes }) => {
    const tensor = outputs[name]!;
    return encodeOutput(name, classes === undefined ? tensor : classify(name, tensor, classes), binary);
  });
  const json = `{"model_name":${JSON.stringify(model.id)},"model_version":${JSON.stringify(model.version)},${inference.id === undefined ? "" : `"id":${JSON.stringify(inference.id)},`}"outputs":[${encoded.map((one) => one.json).join(",")}]}`;
  const binary = encoded.flatMap((one) => (one.binary === null ? [] : [one.binary]));
  if (binary.length === 0) return { body: json, headers: { "content-type": "application/json" } };
  const head = Buffer.byteLength(json);
  const body = Buffer.allocUnsafe(binary.reduce((bytes, one) => bytes + one.length, head));
  let at = body.write(json, "utf8");
  for (const one of binary) at += one.copy(body, at);
  return {
    body,
    headers: { "content-type": "application/octet-stream", "inference-header-content-length": String(head) },
  };
}
