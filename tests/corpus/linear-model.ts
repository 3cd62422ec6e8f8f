import { readFileSync } from "node:fs";
import { join } from "node:path";

const template = readFileSync(join(import.meta.dirname, "../fixtures/linear.onnx"));

/** An ONNX file: `prediction = factors · features + bias`, for three features; the linear fixture with other numbers. */
export function linearModel(factors: readonly number[], bias: number): Buffer {
  const bytes = Buffer.from(template);
  const [factorsAt, biasAt] = [placeOf(floats([1, 10, 100])), placeOf(floats([0.5]))];
  floats(factors).copy(bytes, factorsAt);
  floats([bias]).copy(bytes, biasAt);
  return bytes;
}

/** float32, little-endian, as ONNX stores them. */
function floats(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeFloatLE(value, 4 * i));
  return bytes;
}

function placeOf(wanted: Buffer): number {
  const at = template.indexOf(wanted);
  if (at === -1 || template.includes(wanted, at + 1)) throw new Error("the linear fixture is not what it was");
  return at;
}
