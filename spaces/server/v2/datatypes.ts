import type { Dtype } from "../../../models/core/tensors.ts";

/** The Open Inference Protocol's names of the runtime's types. */
const BY_DTYPE: Record<Dtype, string> = {
  bool: "BOOL",
  uint8: "UINT8",
  int8: "INT8",
  int32: "INT32",
  int64: "INT64",
  float16: "FP16",
  float32: "FP32",
  float64: "FP64",
  string: "BYTES",
};
const BY_NAME = new Map(Object.entries(BY_DTYPE).map(([dtype, name]) => [name, dtype as Dtype]));

/** Bytes of one element; BYTES has no fixed size. */
export const ELEMENT_BYTES: Record<Exclude<Dtype, "string">, number> = {
  bool: 1,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
};

/** "float32" → "FP32". Types that the core does not know follow the protocol's spelling: "uint16" → "UINT16". */
export function datatypeOf(dtype: string): string {
  return (
    BY_DTYPE[dtype as Dtype] ??
    dtype
      .toUpperCase()
      .replace(/^FLOAT/, "FP")
      .replace(/^BFLOAT/, "BF")
  );
}

export function dtypeOf(datatype: string): Dtype | undefined {
  return BY_NAME.get(datatype);
}
