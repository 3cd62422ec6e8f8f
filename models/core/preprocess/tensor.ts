import type { CompiledStep } from "./compiled.ts";
import { fixedSize } from "./numbers.ts";
import { fieldOf, RowError } from "./row-error.ts";
import type { TensorStep } from "./schema.ts";

/** Numbers, nested lists of numbers or a typed array of the declared shape, as they are. */
export function compileTensor(step: TensorStep): CompiledStep {
  const size = step.shape.reduce((product, one) => product * one, 1);
  const expected = step.shape.length === 0 ? "a number" : `numbers of shape [${step.shape.join(", ")}]`;
  return {
    ...fixedSize("values", step.shape),
    prepare(row) {
      const given = fieldOf(row, step.field);
      if (given === undefined || given === null) throw new RowError(step.field, "the value is missing", expected, given);
      const values = new Float64Array(size);
      let at = 0;
      const read = (value: unknown, depth: number, field: string): void => {
        if (depth === step.shape.length) {
          if (typeof value !== "number" || !Number.isFinite(value)) throw new RowError(field, "not a finite number", "a finite number", value);
          values[at++] = value;
          return;
        }
        const list = ArrayBuffer.isView(value) ? Array.from(value as Float64Array, Number) : value;
        if (!Array.isArray(list)) throw new RowError(field, "not a list", expected, value);
        if (list.length !== step.shape[depth]) throw new RowError(field, "a list of another length", `${step.shape[depth]} items`, list, { shown: `${list.length} items` });
        list.forEach((item, i) => read(item, depth + 1, `${field}[${i}]`));
      };
      read(given, 0, step.field);
      return { kind: "numbers", values };
    },
  };
}
