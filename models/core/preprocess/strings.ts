import { fieldOf, missingField, RowError, type Row } from "../row.ts";
import type { CompiledStep } from "./compiled.ts";
import type { StringsStep } from "./schema.ts";

/** Fields as texts for a graph that encodes them itself, as pipelines of scikit-learn do. Output: `values` [n]. */
export function compileStrings(step: StringsStep): CompiledStep {
  const read = (row: Row, field: string): string => {
    const value = fieldOf(row, field);
    if (value === undefined || value === null) {
      if (step.missing !== "reject") return step.missing.fill;
      throw missingField(row, field, "the value is missing", "a text");
    }
    // A cell of a CSV file is text already. In JSON the same value may be a number or a boolean.
    if (typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    throw new RowError(field, "not a text", "a text", value);
  };
  return {
    shapes: { values: [step.fields.length] },
    length: () => 1,
    prepare: (row) => ({ kind: "strings", values: step.fields.map((field) => read(row, field)) }),
    collate: () => ({}),
    texts: (rows) => ({
      values: {
        texts: rows.flatMap((row) => (row.kind === "strings" ? row.values : [])),
        dims: [rows.length, step.fields.length],
      },
    }),
  };
}
