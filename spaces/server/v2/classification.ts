import { Problem } from "../http/problem.ts";
import type { GraphTensor } from "../../../models/core/tensors.ts";
import { numbersOf } from "../../../models/core/postprocess/numbers-of.ts";

/**
 * The classification extension: of each row of an output, its `top` largest values as texts "value:index".
 * docs/protocol/extension_classification.md of Triton.
 *
 * @param tensor numbers [classes] or [rows, classes]
 * @returns texts [min(top, classes)] or [rows, min(top, classes)], the largest first, the lower index first of equal ones
 * @throws Problem 400 for texts, or more than two axes
 */
export function classify(name: string, { dtype, dims, data }: GraphTensor, top: number): GraphTensor {
  const [rows, classes] = dims.length === 1 ? [1, dims[0]!] : [dims[0]!, dims[1] ?? 0];
  if (dtype === "string" || dtype === "float16" || dims.length < 1 || dims.length > 2)
    throw new Problem(
      400,
      "inference-request",
      `output ${name}: classification needs numbers of shape [classes] or [rows, classes], not ${dtype} [${dims.join(", ")}]`,
    );
  const values = numbersOf(data as Parameters<typeof numbersOf>[0]);
  const shown = Math.min(top, classes);
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    const at = (index: number) => values[row * classes + index]!;
    const order = Array.from({ length: classes }, (_, index) => index);
    // NaN goes last.
    order.sort((a, b) => (Number.isNaN(at(a)) ? 1 : Number.isNaN(at(b)) ? -1 : at(b) - at(a)) || a - b);
    for (const index of order.slice(0, shown)) texts.push(`${at(index)}:${index}`);
  }
  return { dtype: "string", data: texts, dims: dims.length === 1 ? [shown] : [rows, shown] };
}
