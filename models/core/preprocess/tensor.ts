import type { CompiledStep } from "./compiled.ts";
import { fixedSize } from "./fixed-size.ts";
import { fieldOf, missingField, RowError, type Row } from "../row.ts";
import type { TensorStep } from "./schema.ts";

/** Numbers, nested lists of numbers or a typed array of the declared shape, as they are. */
export function compileTensor(step: TensorStep): CompiledStep {
  const size = step.shape.reduce((product, one) => product * one, 1);
  const expected = step.shape.length === 0 ? "a number" : `numbers of shape [${step.shape.join(", ")}]`;
  /** `field` names an item. It is called only for an error: naming every item would cost more than reading it. */
  const read = (value: unknown, depth: number, into: Float64Array, from: number, field: () => string): number => {
    if (depth === step.shape.length) {
      if (typeof value !== "number" || !Number.isFinite(value))
        throw new RowError(field(), "not a finite number", "a finite number", value);
      into[from] = value;
      return from + 1;
    }
    const list = (ArrayBuffer.isView(value) ? Array.from(value as Float64Array, Number) : value) as unknown[];
    if (!Array.isArray(list)) throw new RowError(field(), "not a list", expected, value);
    const length = step.shape[depth]!;
    if (list.length !== length)
      throw new RowError(field(), "a list of another length", `${length} items`, list, {
        shown: `${list.length} items`,
      });
    if (depth < step.shape.length - 1) {
      let next = from;
      for (let i = 0; i < length; i++) next = read(list[i], depth + 1, into, next, () => `${field()}[${i}]`);
      return next;
    }
    for (let i = 0; i < length; i++) {
      const item = list[i];
      if (typeof item !== "number" || !Number.isFinite(item))
        throw new RowError(`${field()}[${i}]`, "not a finite number", "a finite number", item);
      into[from + i] = item;
    }
    return from + length;
  };
  const fill = (row: Row, into: Float64Array): void => {
    const given = fieldOf(row, step.field);
    if (given === undefined || given === null) throw missingField(row, step.field, "the value is missing", expected);
    read(given, 0, into, 0, () => step.field);
  };
  return {
    ...fixedSize("values", step.shape),
    fill,
    prepare(row) {
      const values = new Float64Array(size);
      fill(row, values);
      return { kind: "numbers", values };
    },
  };
}
