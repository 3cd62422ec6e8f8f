import { EvaluationError } from "../errors.ts";
import { rowSize, type Dtype, type GraphTensor, type TensorData, type TensorMetadata } from "../tensors.ts";

/**
 * A cache of no tokens, in the shape that the graph declares: a number is itself, the first axis is the batch, and
 * every other axis that varies is 0. So no count of heads is needed.
 */
export function emptyCache({ dtype, shape }: TensorMetadata, rows: number): GraphTensor {
  const dims = shape.map((size, axis) => (axis === 0 ? rows : typeof size === "number" ? size : 0));
  return { dtype: dtype as Dtype, data: zeros(dtype, size(dims)), dims };
}

/** Rows of a tensor in a new order; a row may be taken several times, or not at all. */
export function gatherRows(tensor: GraphTensor, rows: readonly number[]): GraphTensor {
  const width = rowSize(tensor.dims);
  const { data } = tensor;
  const dims = [rows.length, ...tensor.dims.slice(1)];
  if (!("subarray" in data)) throw new TypeError("a cache of texts");
  const into = new (data.constructor as new (length: number) => Exclude<TensorData, readonly string[]>)(
    rows.length * width,
  );
  rows.forEach((row, i) => into.set(data.subarray(row * width, (row + 1) * width) as never, i * width));
  return { dtype: tensor.dtype, data: into, dims };
}

/** Whole numbers as the graph wants them: an int64 graph refuses int32, and the other way round. */
export function integers(dtype: string, values: ArrayLike<number>, dims: readonly number[]): GraphTensor {
  if (dtype === "int64")
    return { dtype, data: BigInt64Array.from({ length: values.length }, (_, i) => BigInt(values[i]!)), dims };
  if (dtype === "int32") return { dtype, data: Int32Array.from(values), dims };
  if (dtype === "bool") return { dtype, data: Uint8Array.from(values), dims };
  if (dtype === "float32") return { dtype, data: Float32Array.from(values), dims };
  throw new EvaluationError({
    code: "generate-dtype",
    problem: "the loop makes no numbers of this type",
    expected: "int64, int32, bool or float32",
    received: dtype,
  });
}

function zeros(dtype: string, length: number): TensorData {
  switch (dtype) {
    case "float16":
      return new Uint16Array(length);
    case "float64":
      return new Float64Array(length);
    default:
      return new Float32Array(length);
  }
}

const size = (dims: readonly number[]) => dims.reduce((product, one) => product * one, 1);
