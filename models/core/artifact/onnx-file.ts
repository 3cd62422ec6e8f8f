import { isLfsPointer } from "./lfs-pointer.ts";
import { fields, text, Truncated, type Field } from "./protobuf.ts";

/** What is read from an ONNX file before the runtime sees it, so that a wrong file gets a clear error. */
export type OnnxHeader = {
  irVersion: number;
  /** Operator-set imports; the domain "" is ai.onnx. */
  opsets: { domain: string; version: number }[];
  /** Files that hold initializers, by the location that the model names. */
  externalLocations: string[];
};

export type OnnxReading =
  | { ok: true; header: OnnxHeader }
  | {
      ok: false;
      code: "model-empty" | "model-is-text" | "model-is-lfs-pointer" | "model-truncated" | "model-not-onnx";
      problem: string;
      received: string;
    };

/**
 * Reads the top-level fields of a ModelProto (onnx.proto3: ir_version = 1, graph = 7, opset_import = 8). Weights are
 * skipped, not parsed.
 */
export function readOnnxHeader(bytes: Uint8Array): OnnxReading {
  if (bytes.length === 0)
    return { ok: false, code: "model-empty", problem: "the model file is empty", received: "0 bytes" };
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(256, bytes.length)).toString("latin1");
  if (isLfsPointer(bytes))
    return {
      ok: false,
      code: "model-is-lfs-pointer",
      problem: "a Git LFS pointer stands in the place of the model",
      received: head.split("\n")[1] ?? head,
    };
  if (/^[\t\n\r\x20-\x7e\xa0-\xff]+$/.test(head))
    return {
      ok: false,
      code: "model-is-text",
      problem: /^\s*</.test(head)
        ? "an HTML or XML page stands in the place of the model"
        : "a text stands in the place of the model",
      received: JSON.stringify(head.slice(0, 60)),
    };
  const header: OnnxHeader = { irVersion: 0, opsets: [], externalLocations: [] };
  let graphs = 0;
  try {
    for (const field of fields(bytes, 0, bytes.length)) {
      if (field.number === 1 && field.wire === 0) header.irVersion = field.value;
      else if (field.number === 8 && field.wire === 2) header.opsets.push(opset(bytes, field));
      else if (field.number === 7 && field.wire === 2) {
        graphs++;
        header.externalLocations = [...new Set(locations(bytes, field))];
      }
    }
  } catch (error) {
    if (error instanceof Truncated && (header.irVersion > 0 || graphs > 0))
      return {
        ok: false,
        code: "model-truncated",
        problem: "the model file ends too early",
        received: `${bytes.length} bytes; ${error.message}`,
      };
    return {
      ok: false,
      code: "model-not-onnx",
      problem: "not an ONNX file",
      received: `${bytes.length} bytes that begin ${hex(bytes)}`,
    };
  }
  if (graphs === 0 || header.irVersion === 0) {
    return header.irVersion > 0 && header.opsets.length === 0 && bytes.length < 4096
      ? {
          ok: false,
          code: "model-truncated",
          problem: "the model file ends too early",
          received: `${bytes.length} bytes without a graph`,
        }
      : {
          ok: false,
          code: "model-not-onnx",
          problem: "not an ONNX file",
          received: `${bytes.length} bytes that begin ${hex(bytes)}`,
        };
  }
  return { ok: true, header };
}

/**
 * The first Reshape whose constant shape begins with a fixed number of rows, as an export for one batch size leaves it;
 * null when there is none, or the file cannot be read. (GraphProto: node = 1, initializer = 5. NodeProto: input = 1,
 * output = 2, name = 3, op_type = 4, attribute = 5; AttributeProto: t = 5.)
 */
export function fixedReshape(bytes: Uint8Array): string | null {
  try {
    const [graph] = [...fields(bytes, 0, bytes.length)].filter(({ number, wire }) => number === 7 && wire === 2);
    if (graph === undefined) return null;
    const shapes = new Map<string, readonly number[]>();
    const nodes: { name: string; inputs: string[] }[] = [];
    for (const part of fields(bytes, graph.start, graph.end)) {
      if (part.wire !== 2) continue;
      if (part.number === 5) {
        const { name, values } = constant(bytes, part);
        shapes.set(name, values);
      }
      if (part.number !== 1) continue;
      const own = [...fields(bytes, part.start, part.end)].filter(({ wire }) => wire === 2);
      const texts = (number: number) => own.filter((one) => one.number === number).map((one) => text(bytes, one));
      const [operator] = texts(4);
      if (operator === "Reshape") nodes.push({ name: texts(3)[0] ?? "", inputs: texts(1) });
      if (operator !== "Constant") continue;
      const tensors = own
        .filter(({ number }) => number === 5)
        .flatMap((one) => [...fields(bytes, one.start, one.end)].filter((t) => t.number === 5 && t.wire === 2));
      for (const output of texts(2))
        shapes.set(
          output,
          tensors.flatMap((tensor) => constant(bytes, tensor).values),
        );
    }
    for (const { name, inputs } of nodes) {
      const shape = shapes.get(inputs[1] ?? "") ?? [];
      // 0 keeps the input's size, and -1 is worked out.
      if ((shape[0] ?? 0) > 0 && !shapes.has(inputs[0] ?? ""))
        return `the node ${name || "without a name"} (Reshape to [${shape.join(", ")}])`;
    }
    return null;
  } catch {
    return null;
  }
}

/** A short int64 tensor (TensorProto: data_type = 2, int64_data = 7, name = 8, raw_data = 9); no values for another. */
function constant(bytes: Uint8Array, tensor: Field): { name: string; values: number[] } {
  let name = "";
  let values: number[] = [];
  for (const field of fields(bytes, tensor.start, tensor.end)) {
    if (field.number === 2 && field.wire === 0 && field.value !== 7) return { name, values: [] };
    if (field.number === 8 && field.wire === 2) name = text(bytes, field);
    if (field.number === 9 && field.wire === 2 && field.end - field.start <= 64) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + field.start, field.end - field.start);
      values = Array.from({ length: view.byteLength >> 3 }, (_, i) => Number(view.getBigInt64(i * 8, true)));
    }
  }
  return { name, values };
}

function opset(bytes: Uint8Array, message: Field): OnnxHeader["opsets"][number] {
  const found = { domain: "", version: 0 };
  for (const field of fields(bytes, message.start, message.end)) {
    if (field.number === 1 && field.wire === 2) found.domain = text(bytes, field);
    if (field.number === 2 && field.wire === 0) found.version = field.value;
  }
  return found;
}

/** GraphProto.initializer = 5; TensorProto.external_data = 13, entries {key = 1, value = 2}. */
function* locations(bytes: Uint8Array, graph: Field): Generator<string> {
  for (const initializer of fields(bytes, graph.start, graph.end)) {
    if (initializer.number !== 5 || initializer.wire !== 2) continue;
    for (const entry of fields(bytes, initializer.start, initializer.end)) {
      if (entry.number !== 13 || entry.wire !== 2) continue;
      const pair = new Map(
        [...fields(bytes, entry.start, entry.end)].filter((f) => f.wire === 2).map((f) => [f.number, text(bytes, f)]),
      );
      if (pair.get(1) === "location") yield pair.get(2) ?? "";
    }
  }
}

const hex = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(8, bytes.length)).toString("hex");
