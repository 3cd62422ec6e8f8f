export const dtypes = ["float32", "float16", "float64", "int64", "int32", "int8", "uint8", "bool", "string"] as const;
/** Element types of a graph's inputs and outputs, by their ONNX names. */
export type Dtype = (typeof dtypes)[number];

/** Dense row-major numbers with their shape, before they are cast to the graph's type. */
export type NumberTensor = { data: Float64Array | Float32Array | Int32Array; dims: number[] };

/** Texts with their shape, row-major. */
export type TextTensor = { texts: readonly string[]; dims: number[] };

/** A tensor as a session takes and returns it. */
export type GraphTensor = { dtype: Dtype; data: TensorData; dims: readonly number[] };
export type TensorData =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int32Array
  | Int8Array
  | Uint8Array
  | Uint16Array
  | readonly string[];

/** Metadata of one graph input or output as the runtime reports it. A string in `shape` names a size that varies. */
export type TensorMetadata = { name: string; dtype: string; shape: readonly (number | string)[] };

const INTEGER_RANGES: Partial<Record<Dtype, readonly [number, number]>> = {
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int8: [-128, 127],
  uint8: [0, 255],
  bool: [0, 1],
};

/** Largest finite magnitudes; beyond them a cast would give infinity. */
const FLOAT_LIMITS: Partial<Record<Dtype, number>> = {
  float16: 65504,
  float32: 3.4028234663852886e38,
  float64: Number.MAX_VALUE,
};

/** Describes the numbers that a tensor of this type can hold, apart from rounding; null when `value` is one of them. */
export function misfit(value: number, dtype: Dtype): string | null {
  const range = INTEGER_RANGES[dtype];
  if (range !== undefined)
    return Number.isInteger(value) && value >= range[0] && value <= range[1]
      ? null
      : `a whole number from ${range[0]} to ${range[1]}`;
  const limit = FLOAT_LIMITS[dtype];
  if (limit === undefined) return "no number";
  return Math.abs(value) <= limit ? null : `a finite ${dtype} number`;
}

/**
 * Index of the first value that `misfit` refuses; -1 when all fit. Images have many values, so the usual case is one
 * comparison.
 * @param nan the places where a float may be NaN; default: none
 */
export function firstMisfit(values: ArrayLike<number>, dtype: Dtype, nan?: readonly boolean[]): number {
  const limit = FLOAT_LIMITS[dtype];
  for (let i = 0; i < values.length; i++) {
    // Written so that NaN fails too.
    if (limit !== undefined ? !(Math.abs(values[i]!) <= limit) : misfit(values[i]!, dtype) !== null)
      if (!(limit !== undefined && nan?.[i] === true && Number.isNaN(values[i]!))) return i;
  }
  return -1;
}

/** Numbers → the array type of a graph input; texts stay. The numbers have passed `misfit`. */
export function castTo(dtype: Dtype, tensor: NumberTensor | TextTensor): GraphTensor {
  if ("texts" in tensor) return { dtype, data: tensor.texts, dims: tensor.dims };
  return { dtype, data: convert(dtype, tensor.data), dims: tensor.dims };
}

function convert(dtype: Dtype, data: NumberTensor["data"]): TensorData {
  switch (dtype) {
    case "float32":
      return data instanceof Float32Array ? data : Float32Array.from(data);
    case "float64":
      return data instanceof Float64Array ? data : Float64Array.from(data);
    case "int32":
      return data instanceof Int32Array ? data : Int32Array.from(data);
    case "int64": {
      const wide = new BigInt64Array(data.length);
      for (let i = 0; i < data.length; i++) wide[i] = BigInt(data[i]!);
      return wide;
    }
    case "int8":
      return Int8Array.from(data);
    case "uint8":
    case "bool":
      return Uint8Array.from(data);
    case "float16":
      return toFloat16(data);
    case "string":
      throw new TypeError("texts are no numbers");
  }
}

/** Node 24 has Float16Array; the type library of this target does not name it yet. */
function toFloat16(data: NumberTensor["data"]): Uint16Array {
  const half = (globalThis as unknown as { Float16Array: { from(values: ArrayLike<number>): Uint16Array } })
    .Float16Array;
  return half.from(data);
}

/** Number of elements of one row of a batch. */
export function rowSize(dims: readonly number[]): number {
  return dims.slice(1).reduce((product, size) => product * size, 1);
}
