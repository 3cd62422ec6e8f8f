import type { NumbersHead } from "./compiled.ts";
import { applyInverse } from "./inverse.ts";
import { notFinite, numbersHead } from "./numbers-head.ts";
import type { RegressionHead } from "./schema.ts";

export function compileRegression(head: RegressionHead, place: () => string, outputWidth: number | null): NumbersHead {
  return numbersHead(head, 1, "", outputWidth, place, (values, from, rowName) => {
    const value = applyInverse(values[from]!, head.inverse);
    if (!Number.isFinite(value)) throw notFinite(head, rowName(), `${value} after the inverse of ${values[from]}`);
    return { kind: "regression", value };
  });
}
