import { fields, text, type Field } from "../core/onnx/protobuf.ts";
import type { TensorMetadata } from "../core/tensors.ts";

/** What an ONNX file says of itself, weights left out. */
export type GraphLook = {
  producer: string;
  producerVersion: string;
  opsets: { domain: string; version: number }[];
  /** The model's own key-value pairs. */
  metadata: Record<string, string>;
  /** Inputs that a caller feeds. */
  inputs: TensorMetadata[];
  /** Outputs that are tensors. */
  outputs: TensorMetadata[];
  /** Outputs that are sequences or maps. */
  notTensors: string[];
  /** Operator → how many nodes. */
  operators: Record<string, number>;
  /** Output → operator of the node that makes it. */
  madeBy: Record<string, string>;
  /** Classes that a classifier of scikit-learn's kind names, in the order of its probabilities. */
  classes: string[] | null;
  /** The node that turns probabilities into maps, as scikit-learn's exporter adds it. */
  zipMap: { from: string; to: string; width: number | null } | null;
};

/** Element types by TensorProto.DataType. */
const elementTypes: Record<number, string> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  4: "uint16",
  5: "int16",
  6: "int32",
  7: "int64",
  8: "string",
  9: "bool",
  10: "float16",
  11: "float64",
  12: "uint32",
  13: "uint64",
  16: "bfloat16",
};

/**
 * Reads the graph of an ONNX file (onnx.proto3: ModelProto producer_name = 2, producer_version = 3, graph = 7,
 * opset_import = 8, metadata_props = 14; GraphProto node = 1, initializer = 5, input = 11, output = 12). Pure.
 *
 * @throws Error for bytes that are no ONNX file
 */
export function lookAtGraph(bytes: Uint8Array): GraphLook {
  const look: GraphLook = {
    producer: "",
    producerVersion: "",
    opsets: [],
    metadata: {},
    inputs: [],
    outputs: [],
    notTensors: [],
    operators: {},
    madeBy: {},
    classes: null,
    zipMap: null,
  };
  for (const field of fields(bytes, 0, bytes.length)) {
    if (field.wire !== 2) continue;
    if (field.number === 2) look.producer = text(bytes, field);
    else if (field.number === 3) look.producerVersion = text(bytes, field);
    else if (field.number === 8) {
      const found = { domain: "", version: 0 };
      for (const one of fields(bytes, field.start, field.end)) {
        if (one.number === 1 && one.wire === 2) found.domain = text(bytes, one);
        if (one.number === 2 && one.wire === 0) found.version = one.value;
      }
      look.opsets.push(found);
    } else if (field.number === 14) {
      const own = [...fields(bytes, field.start, field.end)].filter(({ wire }) => wire === 2);
      const of = (number: number) => own.find((one) => one.number === number);
      const [key, value] = [of(1), of(2)];
      if (key !== undefined) look.metadata[text(bytes, key)] = value === undefined ? "" : text(bytes, value);
    } else if (field.number === 7) readGraph(bytes, field, look);
  }
  return look;
}

function readGraph(bytes: Uint8Array, graph: Field, look: GraphLook): void {
  const initializers = new Set<string>();
  const inputs: Value[] = [];
  const widths = new Map<string, number | null>();
  for (const part of fields(bytes, graph.start, graph.end)) {
    if (part.wire !== 2) continue;
    if (part.number === 5) {
      const name = [...fields(bytes, part.start, part.end)].find((one) => one.number === 8 && one.wire === 2);
      if (name !== undefined) initializers.add(text(bytes, name));
    } else if (part.number === 11) inputs.push(valueInfo(bytes, part));
    else if (part.number === 12) {
      const value = valueInfo(bytes, part);
      if (value.tensor === null) look.notTensors.push(value.name);
      else look.outputs.push(value.tensor);
    } else if (part.number === 13) {
      const { name, tensor } = valueInfo(bytes, part);
      const last = tensor?.shape.at(-1);
      widths.set(name, typeof last === "number" ? last : null);
    } else if (part.number === 1) readNode(bytes, part, look);
  }
  // Old files list their weights among the inputs.
  for (const { name, tensor } of inputs)
    if (!initializers.has(name)) {
      if (tensor === null) look.notTensors.push(name);
      else look.inputs.push(tensor);
    }
  if (look.zipMap !== null) look.zipMap.width = look.classes?.length ?? widths.get(look.zipMap.from) ?? null;
}

/** NodeProto: input = 1, output = 2, op_type = 4, attribute = 5. */
function readNode(bytes: Uint8Array, node: Field, look: GraphLook): void {
  const own = [...fields(bytes, node.start, node.end)].filter(({ wire }) => wire === 2);
  const texts = (number: number) => own.filter((one) => one.number === number).map((one) => text(bytes, one));
  const [operator = ""] = texts(4);
  look.operators[operator] = (look.operators[operator] ?? 0) + 1;
  for (const output of texts(2)) look.madeBy[output] = operator;
  if (operator === "ZipMap") look.zipMap = { from: texts(1)[0] ?? "", to: texts(2)[0] ?? "", width: null };
  for (const attribute of own.filter(({ number }) => number === 5)) {
    const { name, strings, ints } = labelsIn(bytes, attribute);
    if (!/^(classlabels|class_labels|cats)_(strings|ints|int64s)$|^classlabels_/.test(name)) continue;
    // A LabelEncoder or a one-hot encoder has categories too, which are no classes.
    if (!/Classifier$|^ZipMap$/.test(operator)) continue;
    const found = strings.length > 0 ? strings : ints.map(String);
    if (found.length >= 2) look.classes = found;
  }
}

/** AttributeProto: name = 1, ints = 8, strings = 9; the integers are packed or not. */
function labelsIn(bytes: Uint8Array, attribute: Field): { name: string; strings: string[]; ints: number[] } {
  const found = { name: "", strings: [] as string[], ints: [] as number[] };
  for (const one of fields(bytes, attribute.start, attribute.end)) {
    if (one.number === 1 && one.wire === 2) {
      found.name = text(bytes, one);
      // Weights of trees and networks are attributes too, and long ones.
      if (!found.name.includes("label")) return found;
    }
    if (one.number === 9 && one.wire === 2) found.strings.push(text(bytes, one));
    if (one.number === 8 && one.wire === 0) found.ints.push(one.value);
    if (one.number === 8 && one.wire === 2) found.ints.push(...packed(bytes, one));
  }
  return found;
}

function packed(bytes: Uint8Array, { start, end }: Field): number[] {
  const values: number[] = [];
  for (let at = start; at < end;) {
    let value = 0;
    for (let shift = 0; at < end; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    values.push(value);
  }
  return values;
}

type Value = { name: string; tensor: TensorMetadata | null };

/** ValueInfoProto: name = 1, type = 2; TypeProto: tensor_type = 1 {elem_type = 1, shape = 2 {dim = 1 {value = 1, param = 2}}}. */
function valueInfo(bytes: Uint8Array, info: Field): Value {
  const parts = [...fields(bytes, info.start, info.end)];
  const nameField = parts.find(({ number, wire }) => number === 1 && wire === 2);
  const name = nameField === undefined ? "" : text(bytes, nameField);
  const type = parts.find(({ number, wire }) => number === 2 && wire === 2);
  if (type === undefined) return { name, tensor: { name, dtype: "unknown", shape: [] } };
  const tensorField = [...fields(bytes, type.start, type.end)].find(({ number, wire }) => number === 1 && wire === 2);
  if (tensorField === undefined) return { name, tensor: null };
  let dtype = "unknown";
  const shape: (number | string)[] = [];
  for (const one of fields(bytes, tensorField.start, tensorField.end)) {
    if (one.number === 1 && one.wire === 0) dtype = elementTypes[one.value] ?? `type ${one.value}`;
    if (one.number !== 2 || one.wire !== 2) continue;
    for (const dim of fields(bytes, one.start, one.end)) {
      if (dim.number !== 1 || dim.wire !== 2) continue;
      let size: number | string = "";
      for (const value of fields(bytes, dim.start, dim.end)) {
        if (value.number === 1 && value.wire === 0) size = value.value;
        if (value.number === 2 && value.wire === 2) size = text(bytes, value);
      }
      shape.push(size);
    }
  }
  return { name, tensor: { name, dtype, shape } };
}
