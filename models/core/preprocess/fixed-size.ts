import type { NumberTensor } from "../tensors.ts";
import type { CompiledStep, Prepared } from "./compiled.ts";

/** `shapes`, `length` and `collate` of a step that makes the same number of values for every row. */
export function fixedSize(
  output: string,
  shape: readonly number[],
): Pick<CompiledStep, "shapes" | "length" | "collate"> {
  const size = shape.reduce((product, one) => product * one, 1);
  return {
    shapes: { [output]: shape },
    length: () => 1,
    collate: (rows) => ({ [output]: stack(rows, size, shape) }),
  };
}

function stack(rows: readonly Prepared[], size: number, shape: readonly number[]): NumberTensor {
  const single = rows.every((row) => row.kind === "numbers" && row.values instanceof Float32Array);
  const data = single ? new Float32Array(rows.length * size) : new Float64Array(rows.length * size);
  rows.forEach((row, i) => {
    if (row.kind !== "numbers" || row.values.length !== size)
      throw new TypeError(`a row of ${size} numbers was expected`);
    data.set(row.values, i * size);
  });
  return { data, dims: [rows.length, ...shape] };
}
