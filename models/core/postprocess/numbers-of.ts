import type { RowTensor } from "./compiled.ts";

/** A row's numbers as floating-point numbers; those of 64-bit integers are converted. */
export function numbersOf(data: RowTensor["data"]): ArrayLike<number> {
  return data instanceof BigInt64Array ? Float64Array.from(data, Number) : (data as ArrayLike<number>);
}
