import { castTo, misfit, type Dtype, type GraphTensor, type TensorData } from "../../../models/core/tensors.ts";
import { Problem } from "../http/problem.ts";
import { ELEMENT_BYTES } from "./datatypes.ts";

const bad = (detail: string) => new Problem(400, "tensor", detail);
const HOST_IS_LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Turns the `data` of a JSON tensor, flat or nested in row-major order, into the runtime's array.
 *
 * @throws Problem 400 when it does not have `count` elements of the type. FP16 has no JSON form.
 */
export function decodeJson(name: string, dtype: Dtype, dims: readonly number[], data: unknown): GraphTensor {
  const count = product(dims);
  if (!Array.isArray(data)) throw bad(`input ${name}: no data`);
  const flat = flatten(name, data, dims, count);
  if (flat.length !== count)
    throw bad(`input ${name}: ${flat.length} elements for shape [${dims.join(", ")}], which has ${count}`);
  if (dtype === "float16") throw bad(`input ${name}: FP16 has no JSON form; send it as binary data`);
  if (dtype === "string") {
    const wrong = flat.findIndex((value) => typeof value !== "string");
    if (wrong >= 0) throw bad(`input ${name}: element ${wrong} is not a text`);
    return { dtype, data: flat as string[], dims };
  }
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const value = flat[i];
    const number = dtype === "bool" && typeof value === "boolean" ? Number(value) : value;
    if (typeof number !== "number")
      throw bad(`input ${name}: element ${i} is not ${dtype === "bool" ? "true or false" : "a number"}`);
    const expected = misfit(number, dtype);
    if (expected !== null) throw bad(`input ${name}: element ${i} is not ${expected}`);
    numbers[i] = number;
  }
  return castTo(dtype, { data: numbers, dims: [...dims] });
}

/**
 * Flattens level by level without recursion, so that data nested to any depth is refused instead of overflowing the
 * stack. Nested data must have the tensor's shape.
 */
function flatten(name: string, data: readonly unknown[], dims: readonly number[], most: number): unknown[] {
  if (!data.some(Array.isArray)) return data as unknown[];
  const ragged = () => bad(`input ${name}: nested data must have the shape [${dims.join(", ")}]`);
  if (data.length !== dims[0]) throw ragged();
  let level = data as unknown[];
  for (const size of dims.slice(1)) {
    if (level.length > most || !level.every((one) => Array.isArray(one) && one.length === size)) throw ragged();
    level = level.flat(1);
  }
  if (level.some(Array.isArray)) throw ragged();
  return level;
}

/**
 * Reads the little-endian bytes of a tensor, row-major and without gaps. For BYTES, each element follows its length in
 * four bytes.
 *
 * @throws Problem 400 when the number of bytes does not fit the shape.
 */
export function decodeBinary(name: string, dtype: Dtype, dims: readonly number[], bytes: Buffer): GraphTensor {
  const count = product(dims);
  if (dtype === "string") return { dtype, data: decodeTexts(name, count, bytes), dims };
  const size = ELEMENT_BYTES[dtype];
  if (bytes.length !== count * size)
    throw bad(`input ${name}: ${bytes.length} bytes for shape [${dims.join(", ")}], which takes ${count * size}`);
  if (dtype === "bool") {
    const wrong = bytes.findIndex((byte) => byte > 1);
    if (wrong >= 0) throw bad(`input ${name}: element ${wrong} is neither 0 nor 1`);
  }
  // A typed array must begin at a multiple of its element size. If the body does not, its bytes are copied.
  if (HOST_IS_LITTLE && bytes.byteOffset % size === 0)
    return { dtype, data: view(dtype, bytes.buffer as ArrayBuffer, bytes.byteOffset, count), dims };
  const own = new Uint8Array(bytes.length);
  own.set(bytes);
  if (!HOST_IS_LITTLE) swap(own, size);
  return { dtype, data: view(dtype, own.buffer, 0, count), dims };
}

function decodeTexts(name: string, count: number, bytes: Buffer): string[] {
  const texts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw bad(`input ${name}: the length of element ${texts.length} is cut off`);
    const length = bytes.readUInt32LE(at);
    at += 4;
    if (at + length > bytes.length) throw bad(`input ${name}: element ${texts.length} is cut off`);
    texts.push(bytes.toString("utf8", at, at + length));
    at += length;
  }
  if (texts.length !== count) throw bad(`input ${name}: ${texts.length} elements, but the shape has ${count}`);
  return texts;
}

function view(dtype: Exclude<Dtype, "string">, buffer: ArrayBuffer, from: number, count: number): TensorData {
  switch (dtype) {
    case "bool":
    case "uint8":
      return new Uint8Array(buffer, from, count);
    case "int8":
      return new Int8Array(buffer, from, count);
    case "int32":
      return new Int32Array(buffer, from, count);
    case "int64":
      return new BigInt64Array(buffer, from, count);
    case "float16":
      return new Uint16Array(buffer, from, count);
    case "float32":
      return new Float32Array(buffer, from, count);
    case "float64":
      return new Float64Array(buffer, from, count);
  }
}

function swap(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

export function product(dims: readonly number[]): number {
  return dims.reduce((all, size) => all * size, 1);
}
