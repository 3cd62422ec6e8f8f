import { isLfsPointer } from "./lfs-pointer.ts";

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

type Field = { number: number; wire: number; value: number; start: number; end: number };

class Truncated extends Error {}

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

/** Protocol Buffers wire format: https://protobuf.dev/programming-guides/encoding/ */
function* fields(bytes: Uint8Array, start: number, end: number): Generator<Field> {
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end) throw new Truncated(`it breaks off at byte ${at}`);
      if (shift > 63) throw new Error("no such number");
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < end) {
    const key = varint();
    const number = Math.floor(key / 8);
    const wire = key % 8;
    if (number === 0) throw new Error("no such field");
    if (wire === 0) yield { number, wire, value: varint(), start: at, end: at };
    else {
      const length = wire === 2 ? varint() : wire === 5 ? 4 : wire === 1 ? 8 : -1;
      if (length < 0) throw new Error("no such wire type");
      if (at + length > end)
        throw new Truncated(`field ${number} at byte ${at} announces ${length} bytes, ${end - at} follow`);
      yield { number, wire, value: 0, start: at, end: at + length };
      at += length;
    }
  }
}

const text = (bytes: Uint8Array, field: Field) =>
  Buffer.from(bytes.buffer, bytes.byteOffset + field.start, field.end - field.start).toString("utf8");
const hex = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(8, bytes.length)).toString("hex");
