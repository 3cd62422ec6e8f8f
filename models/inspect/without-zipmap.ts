import { fields, text, type Field } from "../core/onnx/protobuf.ts";
import type { GraphLook } from "./graph.ts";

/**
 * The same model without the ZipMap node that scikit-learn's exporter appends: the probabilities themselves are the
 * output in the place of a list of maps, as `options={"zipmap": False}` would have exported them. Every other byte of
 * the graph stays. Pure.
 */
export function withoutZipMap(bytes: Uint8Array, zipMap: NonNullable<GraphLook["zipMap"]>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const field of fields(bytes, 0, bytes.length)) {
    const whole = bytes.subarray(field.from, field.end);
    parts.push(field.number === 7 && field.wire === 2 ? message(7, graphWithout(bytes, field, zipMap)) : whole);
  }
  return Buffer.concat(parts);
}

function graphWithout(bytes: Uint8Array, graph: Field, zipMap: NonNullable<GraphLook["zipMap"]>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const part of fields(bytes, graph.start, graph.end)) {
    const inside = part.wire === 2 && (part.number === 1 || part.number === 12) ? [...namesIn(bytes, part)] : [];
    if (part.number === 1 && inside.some(([number, name]) => number === 4 && name === "ZipMap")) continue;
    if (part.number === 12 && inside.some(([number, name]) => number === 1 && name === zipMap.to))
      parts.push(message(12, probabilities(zipMap)));
    else parts.push(bytes.subarray(part.from, part.end));
  }
  return Buffer.concat(parts);
}

/** The short texts of a message by field number: a node's operator, a value's name. */
function* namesIn(bytes: Uint8Array, { start, end }: Field): Generator<[number, string]> {
  for (const one of fields(bytes, start, end))
    if (one.wire === 2 && (one.number === 1 || one.number === 4) && one.end - one.start < 1000)
      yield [one.number, text(bytes, one)];
}

/** A ValueInfoProto of float32 [N, classes]. */
function probabilities({ from, width }: NonNullable<GraphLook["zipMap"]>): Uint8Array {
  const dimensions = [message(1, message(2, Buffer.from("batch")))];
  if (width !== null) dimensions.push(message(1, Buffer.concat([Buffer.from([0x08]), varint(width)])));
  else dimensions.push(message(1, message(2, Buffer.from("classes"))));
  const shape = message(2, Buffer.concat(dimensions));
  const tensor = message(1, Buffer.concat([Buffer.from([0x08, 0x01]), shape]));
  return Buffer.concat([message(1, Buffer.from(from)), message(2, tensor)]);
}

/** A length-delimited field. */
function message(number: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}
